//! What of a foreign text fits into a message.

/// Longest excerpt, in characters.
const LENGTH_MAX: usize = 60;

/// The beginning of `text`, on one line: input of any size and content can be quoted in a message.
pub(crate) fn excerpt(text: &str) -> String {
    let mut characters = text.chars();
    let beginning: String = characters
        .by_ref()
        .take(LENGTH_MAX)
        .flat_map(char::escape_debug)
        .collect();
    if characters.next().is_some() {
        beginning + "…"
    } else {
        beginning
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_or_broken_text_becomes_one_short_line() {
        assert_eq!(excerpt("mnist-app"), "mnist-app");
        assert_eq!(excerpt("a\nb"), "a\\nb");
        assert_eq!(excerpt(&"ä".repeat(61)), "ä".repeat(60) + "…");
    }
}
