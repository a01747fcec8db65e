//! Characters that do something other than to be seen.
//!
//! A server may send what moves the cursor of a terminal, or makes a line of a file read backwards. What
//! comes from outside is shown with such characters spelled out, and is not recorded as it is.
//!
//! Sources: ECMA-48 (control characters, C1 included); Unicode Technical Report 36; CVE-2021-42574
//! ("Trojan Source").

use std::borrow::Cow;

/// Whether a character cannot be seen, or changes how others are seen. Plain space is neither.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' // soft hyphen
                | '\u{61c}' // direction
                | '\u{115f}'..='\u{1160}' // letters without a shape
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}' // no width; direction
                | '\u{2028}'..='\u{202e}' // line ends; direction
                | '\u{2060}'..='\u{206f}' // no width; direction
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}' // annotations
                | '\u{e0000}'..='\u{e0fff}' // tags
        )
}

/// `text` with hidden characters spelled out, such as `\u{1b}`, but for line feeds and tabs.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    let spelled = |c: char| is_hidden(c) && c != '\n' && c != '\t';
    if !text.contains(spelled) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if spelled(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        assert_eq!(visible("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(visible("a\u{9b}2J\r\u{7}"), "a\\u{9b}2J\\u{d}\\u{7}");
        assert_eq!(visible("x\u{202e}gpj.exe"), "x\\u{202e}gpj.exe");
        assert_eq!(visible("a\u{200b}b\u{feff}"), "a\\u{200b}b\\u{feff}");
        let plain = "lines\n\tand “größe” 日本 🦀\n";
        assert!(matches!(visible(plain), Cow::Borrowed(same) if same == plain));
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in any::<String>()) {
            prop_assert!(visible(&text).chars().all(|c| !is_hidden(c) || c == '\n' || c == '\t'));
        }
    }
}
