//! Lambda's side of what is safe and not decided yet: event in, [`App::handle`], answer out.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use postern::{
    ambient::Ambient,
    aws::Clients,
    config::{self, Config, Function},
    telemetry,
};
use postern_retry::App;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::json(config::stack());
    let app = &build().await?;
    run(service_fn(
        move |event: LambdaEvent<Value>| async move { app.handle(event.payload).await.map_err(Error::from) },
    ))
    .await
}

/// A queue keeps what a function that does not start cannot take, so a configuration fault fails the start.
async fn build() -> Result<App, Error> {
    let config = Config::from_env(Function::Retry)?;
    let clients = Clients::new(&config.aws);
    Ok(App::new(config, &clients, Ambient::system()).await?)
}
