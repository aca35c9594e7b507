//! The connector under the SDK clients of one actor: records every call, fails the ones it is told to, parks at a gate.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use postern::aws::Clients;
use postern_cli::engines::Engines;

use super::call::{Call, Service};
use super::fault::{Answer, Dice, Fault, timeout};
use super::gate::Gate;
use super::meter::{self, Consumed};
use super::topic::Topic;

/// One actor's wire. Clones share the log and the orders.
#[derive(Clone)]
pub(crate) struct Wire {
    inner: SharedHttpClient,
    state: Arc<Mutex<State>>,
    gate: Option<Gate>,
    /// Answers for SNS, where there is one.
    topic: Option<Topic>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    /// Calls begun since the wire was made; [`Wire::take`] does not set it back.
    begun: usize,
    /// The greatest depth among completed calls.
    completed: usize,
    orders: HashMap<usize, Fault>,
    lose_answer_of: Option<String>,
    conflicts: Option<(Dice, usize)>,
    down: HashMap<Service, Fault>,
    next: Option<(String, Fault, usize)>,
    struck: usize,
    /// What DynamoDB says that the calls took, where it is asked.
    consumed: Option<Consumed>,
}

impl Wire {
    pub(crate) fn new() -> Self {
        let inner = aws_smithy_http_client::Builder::new().build_http();
        Self { inner, state: Arc::default(), gate: None, topic: None }
    }

    /// The same wire, with a topic at its other end.
    pub(crate) fn with_topic(mut self, topic: &Topic) -> Self {
        self.topic = Some(topic.clone());
        self
    }

    /// The same wire, on which DynamoDB is asked with every call what it takes.
    pub(crate) fn metered(self) -> Self {
        self.state().consumed = Some(Consumed::default());
        self
    }

    /// What the calls of a metered wire took.
    pub(crate) fn consumed(&self) -> Consumed {
        self.state().consumed.expect("the wire is metered")
    }

    pub(super) fn gated(gate: Gate) -> Self {
        Self { gate: Some(gate), ..Self::new() }
    }

    /// To be given to SDK clients.
    pub(crate) fn http(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// SDK clients of `engines` whose calls go over this wire.
    pub(crate) fn clients(&self, engines: &Engines) -> (aws_sdk_dynamodb::Client, aws_sdk_s3::Client) {
        engines.clients(Some(self.http()))
    }

    /// As [`Wire::clients`], all that a function has.
    pub(crate) fn aws(&self, engines: &Engines) -> Clients {
        engines.endpoints().all_clients(Some(self.http()))
    }

    /// The calls since the wire was made or last taken, in the order they began.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// The calls so far; the log begins anew, its depth too. Numbers for [`Wire::fail_call`] run on.
    pub(crate) fn take(&self) -> Vec<Call> {
        let mut state = self.state();
        state.completed = 0;
        std::mem::take(&mut state.calls)
    }

    pub(crate) fn count(&self) -> usize {
        self.state().calls.len()
    }

    /// How many calls, one after the other, the longest chain has: the round trips a caller waits for.
    pub(crate) fn depth(&self) -> usize {
        self.state().calls.iter().map(|call| call.depth).max().unwrap_or_default()
    }

    /// Fails the `n`-th call over this wire, counted from 1 when the wire was made.
    pub(crate) fn fail_call(&self, n: usize, fault: Fault) {
        self.state().orders.insert(n, fault);
    }

    /// Fails the next `times` calls of that operation.
    pub(crate) fn fail_next(&self, operation: &str, fault: Fault, times: usize) {
        self.state().next = Some((operation.to_owned(), fault, times));
    }

    /// Fails every call to that service.
    pub(crate) fn fail_service(&self, service: Service, fault: Fault) {
        self.state().down.insert(service, fault);
    }

    /// The next call of that operation is applied, its answer is not heard.
    pub(crate) fn lose_answer_of_first(&self, operation: &str) {
        self.state().lose_answer_of = Some(operation.to_owned());
    }

    /// From now on that share of the transactions meets another one, by a generator of that seed.
    pub(crate) fn conflicts(&self, seed: u64, percent: usize) {
        self.state().conflicts = Some((Dice::new(seed), percent));
    }

    /// How many faults took effect. A sweep over `n` ends where the ordered fault no longer strikes.
    pub(crate) fn struck(&self) -> usize {
        self.state().struck
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn carry(self, request: HttpRequest, inner: SharedHttpConnector) -> Answer {
        let mut call = Call::of(&request);
        let under_way = self.gate.as_ref().map(Gate::begin);
        let fault = self.record(&mut call);
        // Calls that the caller joined begin before the first of them is sent.
        tokio::task::yield_now().await;
        if let Some(under_way) = under_way.as_ref().filter(|_| call.is_dynamodb()) {
            under_way.park(&call).await;
        }
        let answer = self.send(fault, &call, request, inner).await;
        self.completed(call.depth);
        answer
    }

    async fn send(
        &self,
        fault: Option<Fault>,
        call: &Call,
        mut request: HttpRequest,
        inner: SharedHttpConnector,
    ) -> Answer {
        let metered = call.is_dynamodb() && self.state().consumed.is_some();
        if metered {
            meter::ask(&mut request);
        }
        if let Some(answer) = fault.and_then(|fault| fault.instead(&request, call)) {
            self.state().struck += 1;
            return answer;
        }
        let topic = self.topic.as_ref().filter(|_| call.service == Service::Sns);
        let mut response = match topic {
            Some(topic) => topic.answer(&request),
            None => inner.call(request).await?,
        };
        // A call is complete when its whole answer is here: what comes after it on the wire happens after it.
        let body = ByteStream::new(response.take_body()).collect().await;
        let body = body.map_err(|error| ConnectorError::io(error.into()))?;
        *response.body_mut() = SdkBody::from(body.into_bytes());
        if let Some(consumed) = self.state().consumed.as_mut().filter(|_| metered) {
            meter::note(&call.operation, &response, consumed);
        }
        if fault == Some(Fault::AnswerLost) {
            self.state().struck += 1;
            return Err(timeout());
        }
        Ok(response)
    }

    /// Notes the call's beginning; gives the fault it shall meet.
    fn record(&self, call: &mut Call) -> Option<Fault> {
        let mut state = self.state();
        state.begun += 1;
        call.depth = state.completed + 1;
        state.calls.push(call.clone());
        let begun = state.begun;
        if let Some(fault) = state.orders.remove(&begun) {
            return Some(fault);
        }
        if let Some(fault) = state.down.get(&call.service) {
            return Some(*fault);
        }
        if let Some((operation, fault, times)) = &mut state.next
            && *operation == call.operation
            && *times > 0
        {
            *times -= 1;
            return Some(*fault);
        }
        if state.lose_answer_of.as_ref() == Some(&call.operation) {
            state.lose_answer_of = None;
            return Some(Fault::AnswerLost);
        }
        let transaction = call.operation == "TransactWriteItems";
        let (dice, percent) = state.conflicts.as_mut().filter(|_| transaction)?;
        (dice.roll(100) < *percent).then_some(Fault::Conflict)
    }

    fn completed(&self, depth: usize) {
        let mut state = self.state();
        state.completed = state.completed.max(depth);
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl HttpClient for Wire {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(Connector { wire: self.clone(), inner })
    }
}

#[derive(Debug)]
struct Connector {
    wire: Wire,
    inner: SharedHttpConnector,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.wire.clone().carry(request, self.inner.clone()))
    }
}
