//! What is done with a message over there once it is safe here, and what a server can and has.

use super::{ImapError, Response, Session, quoted, utf7};

impl Session {
    /// Marks a message as read.
    ///
    /// # Errors
    /// See [`ImapError`].
    pub async fn mark_seen(&mut self, uid: u32) -> Result<(), ImapError> {
        self.command("UID STORE", &format!("UID STORE {uid} +FLAGS.SILENT (\\Seen)"), |_| {}).await.map(drop)
    }

    /// Moves a message: MOVE (RFC 6851), else a copy and [`Session::delete`].
    ///
    /// # Errors
    /// See [`ImapError`]; the message is in one of both folders, or in both.
    pub async fn move_to(&mut self, uid: u32, folder: &str) -> Result<(), ImapError> {
        let folder = quoted(&utf7::encode(folder));
        if self.can("MOVE").await? {
            return self.command("UID MOVE", &format!("UID MOVE {uid} {folder}"), |_| {}).await.map(drop);
        }
        self.command("UID COPY", &format!("UID COPY {uid} {folder}"), |_| {}).await?;
        self.delete(uid).await
    }

    /// Deletes a message, and no other: where the server lacks UIDPLUS (RFC 4315) it stays, marked as deleted, because
    /// EXPUNGE would take along what somebody else has marked.
    ///
    /// # Errors
    /// See [`ImapError`].
    pub async fn delete(&mut self, uid: u32) -> Result<(), ImapError> {
        self.command("UID STORE", &format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)"), |_| {}).await?;
        if self.can("UIDPLUS").await? {
            self.command("UID EXPUNGE", &format!("UID EXPUNGE {uid}"), |_| {}).await?;
        }
        Ok(())
    }

    /// What the server can, asked for once a login.
    ///
    /// # Errors
    /// See [`ImapError`].
    pub async fn capabilities(&mut self) -> Result<Vec<String>, ImapError> {
        if self.capabilities.is_none() {
            self.command("CAPABILITY", "CAPABILITY", |_| {}).await?;
        }
        Ok(self.capabilities.clone().unwrap_or_default())
    }

    async fn can(&mut self, word: &str) -> Result<bool, ImapError> {
        let all = self.capabilities().await?;
        Ok(all.iter().any(|known| known == word || (word == "MOVE" && known == "IMAP4REV2")))
    }

    /// Folders that mail can be in, as people read their names.
    ///
    /// # Errors
    /// See [`ImapError`].
    pub async fn folders(&mut self) -> Result<Vec<String>, ImapError> {
        let mut all = Vec::new();
        self.command("LIST", "LIST \"\" \"*\"", |heard| {
            if let Response::Folder(name, true) = heard {
                all.push(utf7::decode(&name));
            }
        })
        .await?;
        Ok(all)
    }
}
