//! Lambda's side of the HTTP door: event in, [`App::handle`], answer out.

use std::sync::Arc;

use bytes::Bytes;
use lambda_http::{Body, Error, Request, Response, run, service_fn};
use postern::{
    ambient::Ambient,
    aws::Clients,
    config::{self, Config, Function},
    telemetry,
};
use postern_webhook::{App, NotReady, not_ready};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    telemetry::json(config::stack());
    let app = Arc::new(build().await.map_err(|why| {
        tracing::error!(%why, "the door does not open; every request is answered 503");
        NotReady::new(why)
    }));
    run(service_fn(move |event: Request| {
        let app = Arc::clone(&app);
        async move { Ok::<_, Error>(answer(&app, event).await) }
    }))
    .await
}

async fn build() -> Result<App, String> {
    let config = Config::from_env(Function::Webhook).map_err(|error| error.to_string())?;
    let clients = Clients::new(&config.aws);
    App::new(config, &clients, Ambient::system()).await.map_err(|error| error.to_string())
}

/// A configuration fault of an HTTP function is a 503 that names it: the provider's retries survive a bad deployment.
async fn answer(app: &Result<App, NotReady>, event: Request) -> Response<String> {
    let request = event.map(|body| match body {
        Body::Empty => Bytes::new(),
        Body::Text(text) => text.into(),
        Body::Binary(octets) => octets.into(),
        // A kind of body that a later lambda_http may know: nothing can be read from it.
        _ => Bytes::new(),
    });
    match app {
        Ok(app) => app.handle(request).await,
        Err(why) => not_ready(why),
    }
}
