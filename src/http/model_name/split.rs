/// The end of a name that asks for an unsteered answer. A profile of this name has to be asked for in another way.
pub const PLAIN: &str = "@plain";

/// The name under which `model` is steered by `profile`.
pub fn with_suffix(model: &str, profile: &str) -> String {
    format!("{model}@{profile}")
}

/// What may stand before and behind an at-sign, the longest profile first. Nothing of it is empty: vendors begin names with the sign.
pub fn splits(written: &str) -> impl Iterator<Item = (&str, &str)> {
    let places = written.match_indices('@').map(|(place, _)| place);
    places
        .filter_map(|place| Some((written.get(..place)?, written.get(place + 1..)?)))
        .filter(|(name, profile)| !name.is_empty() && !profile.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_at_every_sign_that_has_something_on_both_sides() {
        let all = |written| splits(written).collect::<Vec<_>>();
        assert_eq!(all("m"), []);
        assert_eq!(all("@cf/meta/llama"), []);
        assert_eq!(all("m@"), []);
        assert_eq!(all("m@ada"), [("m", "ada")]);
        assert_eq!(all("@cf/m@ada"), [("@cf/m", "ada")]);
        assert_eq!(all("m@ada@x.org"), [("m", "ada@x.org"), ("m@ada", "x.org")]);
        assert_eq!(all("ä@ö"), [("ä", "ö")]);
    }
}
