//! Mail that is sent to many.

use super::{Kind, Signs, has_word};
use crate::headers::Headers;

impl Signs {
    pub(super) fn lists(&mut self, headers: &Headers) {
        // A Google Group is how a Workspace gives a shared address: every mail of every customer to support@ then
        // carries a list's fields, and nothing in it tells a desk's group from one that discusses. The effect of a wrong
        // `list` is a customer who hears nothing; so a group is no sign, unless another list manager stands behind it.
        let managed = headers.first("x-mailman-version").is_some() || headers.first("x-listserv-version").is_some();
        if headers.first("x-google-group-id").is_some() && !managed {
            self.add(Kind::Human, "google-group");
            return;
        }
        // RFC 2919.
        if headers.first("list-id").is_some() {
            self.add(Kind::List, "list-id");
        }
        // RFC 2369. List-Unsubscribe alone stands on every newsletter and on many shops' mail.
        if headers.first("list-unsubscribe").is_some() && headers.first("list-post").is_some() {
            self.add(Kind::List, "list-post");
        }
        if has_word(headers, &["precedence", "x-precedence"], &["list"]) {
            self.add(Kind::List, "precedence-list");
        }
        if headers.first("x-mailing-list").is_some() || headers.first("mailing-list").is_some() {
            self.add(Kind::List, "x-mailing-list");
        }
        // RFC 8058 is for mail to many; beside a campaign's id or `bulk` it is one.
        let one_click = headers.first("list-unsubscribe-post").is_some();
        let campaign = ["feedback-id", "x-csa-complaints", "x-campaign", "x-campaignid", "x-mailgun-tag", "x-mc-user"];
        let campaign = campaign.iter().any(|name| headers.first(name).is_some());
        if one_click && (campaign || has_word(headers, &["precedence"], &["bulk"])) {
            self.add(Kind::List, "bulk-mailing");
        }
    }
}
