//! Text in whatever encoding it was saved.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use zeroize::Zeroizing;

/// `bytes` as text; `None` where they are none.
pub fn decode(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let encoding = match (Encoding::for_bom(bytes), bytes) {
        (Some((encoding, _)), _) => encoding,
        (None, [1..=255, 0, 1..=255, 0, ..]) => UTF_16LE,
        (None, [0, 1..=255, 0, 1..=255, ..]) => UTF_16BE,
        _ => {
            if let Ok(text) = std::str::from_utf8(bytes) {
                return is_text(text).then(|| Zeroizing::new(text.to_owned()));
            }
            guess(bytes)
        }
    };
    let text = Zeroizing::new(encoding.decode(bytes).0.into_owned());
    is_text(&text).then_some(text)
}

/// `bytes`, which are almost text in UTF-8 or text in an older encoding, with everything that can be read.
pub fn mended(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => guess(bytes).decode_without_bom_handling(bytes).0.into_owned(),
    }
}

/// The encoding of bytes that are not quite UTF-8. A few bad bytes among good characters are damage; otherwise it is another encoding.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let (mut good, mut bad) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|character| !character.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    if good >= bad {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// Pictures and programs have zeros, and text has none.
fn is_text(text: &str) -> bool {
    !text.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> Option<String> {
        decode(bytes).map(|text| text.as_str().to_owned())
    }

    #[test]
    fn common_encodings_are_told_apart() {
        let german = "Die Bestätigung für die Übung liegt im Büro.";
        let russian = "Подтверждение лежит в кабинете на столе.";
        let wide: Vec<u8> = german.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let marked = [
            b"\xFE\xFF".to_vec(),
            german.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ]
        .concat();
        for bytes in [
            german.as_bytes().to_vec(),
            [b"\xEF\xBB\xBF", german.as_bytes()].concat(),
            encoding_rs::WINDOWS_1252.encode(german).0.into_owned(),
            wide,
            marked,
        ] {
            assert_eq!(decoded(&bytes).as_deref(), Some(german));
        }
        for encoding in [encoding_rs::WINDOWS_1251, encoding_rs::KOI8_R, encoding_rs::IBM866] {
            assert_eq!(
                decoded(&encoding.encode(russian).0).as_deref(),
                Some(russian),
                "{}",
                encoding.name()
            );
        }
    }

    #[test]
    fn damage_is_mended_and_pictures_are_no_text() {
        assert_eq!(mended("Zürich \u{e9}".as_bytes()), "Zürich é");
        let damaged = [b"caf\xC3", "é für Zoë".as_bytes()].concat();
        assert!(mended(&damaged).ends_with("é für Zoë"));
        assert_eq!(decoded(b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR"), None);
    }
}
