//! One door: who is allowed in, and its folders one after the other.

use std::sync::Arc;

use super::{Ask, Polled, Poller, REFUSED_MAX, Trouble, folder::Run};
use crate::{
    door::{Door, Imap},
    imap::{ImapError, Session, token::Proof},
    records::PolledDoor,
    secrets::{OperatorSecrets, SecretError},
    store::StoreError,
    telemetry::{self, Metric},
};

impl Poller {
    /// Polls a door. A folder that fails does not stand in the way of the others, as long as the connection is good.
    pub async fn door(&self, door: &Door, ask: &Ask) -> Polled {
        let mut did = Polled::default();
        let Some(imap) = door.polled() else { return did };
        if let Err(trouble) = self.folders(door, imap, ask, &mut did).await {
            tell(door, &trouble, &mut did);
        }
        for (metric, value) in [
            (Metric::Polled, did.taken),
            (Metric::PollVanished, did.vanished),
            (Metric::PollParked, did.parked),
            (Metric::PollTrouble, did.trouble.len()),
        ] {
            telemetry::count(metric, value as u64, self.now());
        }
        did
    }

    async fn folders(&self, door: &Door, imap: &Imap, ask: &Ask, did: &mut Polled) -> Result<(), Trouble> {
        let state = self.ingest.store.polled_door(&door.id).await?;
        if state.paused_at.is_some() {
            did.paused = true;
            tracing::debug!(door = door.id.as_str(), "paused");
            return Ok(());
        }
        let holder = format!("{:016x}", self.ingest.ambient.entropy());
        let mut session = None;
        for name in &imap.folders {
            let store = &self.ingest.store;
            let Some(leased) = store.lease(&door.id, name, &holder, self.now()).await? else {
                did.busy += 1;
                continue;
            };
            let mut run = Run { poller: self, door, imap, name, ask, state: leased, did };
            let ended = match self.connected(door, imap, &state, &mut session).await {
                // On the heap: a large future, and threads have small stacks.
                Ok(session) => Box::pin(run.work(session)).await,
                Err(error) => Err(error),
            };
            let leased = run.ended(ended.as_ref().err()).await;
            match ended {
                Err(trouble) if trouble.leaves_the_connection() => tell(door, &trouble, did),
                Err(trouble) => return Err(trouble),
                Ok(()) => leased?,
            }
        }
        if let Some(session) = session {
            session.log_out().await;
        }
        Ok(())
    }

    /// The connection that there is, or one that is logged in.
    async fn connected<'s>(
        &self,
        door: &Door,
        imap: &Imap,
        state: &PolledDoor,
        session: &'s mut Option<Session>,
    ) -> Result<&'s mut Session, Trouble> {
        if session.is_none() {
            *session = Some(self.logged_in(door, imap, state).await?);
        }
        session.as_mut().ok_or(Trouble::Imap(ImapError::Closed("before it was opened")))
    }

    async fn logged_in(&self, door: &Door, imap: &Imap, seen: &PolledDoor) -> Result<Session, Trouble> {
        match self.log_in(door, imap).await {
            Ok(session) => {
                if seen.refused > 0 {
                    self.ingest.store.resume_door(&door.id).await?;
                }
                Ok(session)
            }
            Err(error @ ImapError::Credentials(_)) => {
                match self.ingest.store.refused_login(door, seen, REFUSED_MAX, self.now()).await {
                    Ok(PolledDoor { paused_at: Some(_), refused, .. }) => {
                        telemetry::count(Metric::DoorPaused, 1, self.now());
                        tracing::error!(door = door.id.as_str(), refused, %error, "the door is paused");
                    }
                    Ok(_) | Err(StoreError::Refused) => {}
                    Err(error) => return Err(error.into()),
                }
                Err(error.into())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Connects and logs in. Where a token or a secret that was kept is refused, once more with a fresh one: only a login
    /// by what stands in the secret now says anything of it.
    ///
    /// # Errors
    /// See [`ImapError`].
    pub async fn log_in(&self, door: &Door, imap: &Imap) -> Result<Session, ImapError> {
        let cached = self.secrets.operator().await.map_err(|error| unread(&error))?;
        let refused = match self.log_in_with(&cached, door, imap).await {
            Err((error @ (ImapError::Credentials(_) | ImapError::NoSecret(_)), proof)) => {
                match proof.filter(|proof| !proof.fresh) {
                    Some(stale) => {
                        self.tokens.forget(&stale).await;
                        return self.log_in_with(&cached, door, imap).await.map_err(|(error, _)| error);
                    }
                    None => error,
                }
            }
            ended => return ended.map_err(|(error, _)| error),
        };
        let fresh = self.secrets.operator_now().await.map_err(|error| unread(&error))?;
        if Arc::ptr_eq(&cached, &fresh) {
            return Err(refused);
        }
        self.log_in_with(&fresh, door, imap).await.map_err(|(error, _)| error)
    }

    async fn log_in_with(
        &self,
        secrets: &OperatorSecrets,
        door: &Door,
        imap: &Imap,
    ) -> Result<Session, (ImapError, Option<Proof>)> {
        // First the connection: a server that cannot be reached shall cost no token.
        let mut session = Session::connect(imap).await.map_err(|error| (error, None))?;
        let proof = self.tokens.proof(door, imap, &secrets.door(door), self.now()).await;
        let proof = proof.map_err(|error| (error, None))?;
        match session.log_in(imap, &proof.login).await {
            Ok(()) => Ok(session),
            Err(error) => Err((error, Some(proof))),
        }
    }
}

fn unread(error: &SecretError) -> ImapError {
    tracing::warn!(%error, "no poll without the operator's secret");
    ImapError::LoginLater("the operator secret cannot be read".to_owned())
}

fn tell(door: &Door, trouble: &Trouble, did: &mut Polled) {
    tracing::warn!(door = door.id.as_str(), slug = trouble.slug(), %trouble, "this poll came to no good end; the next one goes on");
    did.trouble.push(trouble.to_string());
}
