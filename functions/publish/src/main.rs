//! Lambda's side of the ticket events: a batch of stream records in, [`App::handle`], which of them must come again out.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use postern::{
    ambient::Ambient,
    aws::Clients,
    config::{self, Config, Function},
    telemetry,
};
use postern_publish::App;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::json(config::stack());
    let app = build().inspect_err(|why| tracing::error!(%why, "the function does not start"))?;
    let app = &app;
    run(service_fn(
        move |event: LambdaEvent<Value>| async move { app.handle(event.payload).await.map_err(Error::from) },
    ))
    .await
}

/// A configuration fault ends the start, naming all faults: the stream keeps its records for 24 hours, and the sweep
/// brings what it lost.
fn build() -> Result<App, Error> {
    let config = Config::from_env(Function::Publish)?;
    let clients = Clients::new(&config.aws);
    Ok(App::new(config, &clients, Ambient::system())?)
}
