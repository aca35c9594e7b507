//! Lambda's side of the poll: event in, [`App::handle`], answer out.

use jiff::{SignedDuration, Timestamp};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use postern::{
    ambient::Ambient,
    aws::Clients,
    config::{self, Config, Function},
    telemetry,
};
use postern_poll::App;
use serde_json::Value;

/// Before the deadline no message is begun any more: one that is under way takes so long at most.
const RESERVE: SignedDuration = SignedDuration::from_secs(120);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::json(config::stack());
    let app = &build().await?;
    run(service_fn(move |event: LambdaEvent<Value>| async move {
        let deadline = i64::try_from(event.context.deadline).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
        let until = deadline.and_then(|deadline| deadline.checked_sub(RESERVE).ok());
        app.handle(event.payload, until).await.map_err(Error::from)
    }))
    .await
}

/// A queue keeps what a function that does not start cannot take, so a configuration fault fails the start.
async fn build() -> Result<App, Error> {
    let config = Config::from_env(Function::Poll)?;
    let clients = Clients::new(&config.aws);
    Ok(App::new(config, &clients, Ambient::system()).await?)
}
