//! Comparing text: without white space, or as bags of words.

use std::collections::HashMap;

/// The text without any white space: the sets agree on words, not on how lines are broken.
pub(crate) fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Words of `text` that are in `pool`, each of the pool's words used once, and the number of words of `text`.
pub(crate) fn found_in(text: &str, pool: &str) -> (usize, usize) {
    let mut left: HashMap<&str, usize> = HashMap::new();
    for word in pool.split_whitespace() {
        *left.entry(word).or_default() += 1;
    }
    let (mut found, mut all) = (0, 0);
    for word in text.split_whitespace() {
        all += 1;
        if let Some(count) = left.get_mut(word).filter(|count| **count > 0) {
            *count -= 1;
            found += 1;
        }
    }
    (found, all)
}

/// `97.39 %`, by whole numbers.
pub(crate) fn percent(got: usize, of: usize) -> String {
    if of == 0 {
        return "-".to_owned();
    }
    let hundredths = got * 10_000 / of;
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}
