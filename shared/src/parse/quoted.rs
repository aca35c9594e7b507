//! stub
pub(crate) fn visible_reply(text: &str) -> String {
    text.to_owned()
}
