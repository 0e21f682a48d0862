//! Writes `multipart/form-data` (RFC 7578).

use memchr::memmem;

/// A form as it grows.
#[derive(Debug, Default)]
pub(super) struct Form {
    /// Headers and bytes of each part.
    parts: Vec<(String, Vec<u8>)>,
}

impl Form {
    /// Adds a field.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        let head = format!("Content-Disposition: form-data; name=\"{}\"\r\n\r\n", quoted(name));
        self.parts.push((head, text.as_bytes().to_vec()));
    }

    /// Adds a file.
    pub(super) fn file(&mut self, name: &str, filename: &str, media_type: &str, bytes: Vec<u8>) {
        let known =
            media_type.starts_with("image/") && media_type.bytes().all(|b| b.is_ascii_graphic() && b != b'*');
        let media_type = if known { media_type } else { "application/octet-stream" };
        let head = format!(
            "Content-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {media_type}\r\n\r\n",
            quoted(name),
            quoted(filename)
        );
        self.parts.push((head, bytes));
    }

    /// The content type and the body.
    pub(super) fn finish(self) -> (String, Vec<u8>) {
        let boundary = self.boundary();
        let size: usize =
            self.parts.iter().map(|(head, data)| head.len() + data.len() + boundary.len() + 6).sum();
        let mut body = Vec::with_capacity(size + boundary.len() + 8);
        for (head, data) in &self.parts {
            body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(data);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={boundary}"), body)
    }

    /// A boundary that occurs nowhere in the data. It follows from the data alone, so that the same request
    /// is the same bytes each time.
    fn boundary(&self) -> String {
        let mut seed = FNV_OFFSET;
        for (head, data) in &self.parts {
            seed = fnv(fnv(seed, head.as_bytes()), &data.len().to_le_bytes());
            seed = fnv(seed, data.get(..HASHED).unwrap_or(data));
        }
        loop {
            let boundary = format!("tollgate-{seed:016x}");
            let finder = memmem::Finder::new(boundary.as_bytes());
            let occurs = |bytes: &[u8]| finder.find(bytes).is_some();
            if !self.parts.iter().any(|(head, data)| occurs(head.as_bytes()) || occurs(data)) {
                return boundary;
            }
            seed = fnv(seed, &[1]);
        }
    }
}

/// How much of each part is hashed, in bytes: images are large, and whether a boundary occurs is looked up.
const HASHED: usize = 4096;
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// The hash FNV-1a: the same everywhere. It need not be a strong one.
fn fnv(seed: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(seed, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// A name inside quotes, escaped as browsers do it.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Name, file name, media type and bytes of each part.
    pub type Read = Vec<(String, Option<String>, Option<String>, Vec<u8>)>;

    /// Takes a form apart again, strictly.
    pub fn read(content_type: &str, body: &[u8]) -> Read {
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        let delimiter = format!("\r\n--{boundary}");
        let mut whole = b"\r\n".to_vec();
        whole.extend_from_slice(body);
        let places: Vec<usize> = memmem::find_iter(&whole, delimiter.as_bytes()).collect();
        assert_eq!(&whole[places[places.len() - 1] + delimiter.len()..], b"--\r\n");
        let part = |pair: &[usize]| {
            let part = &whole[pair[0] + delimiter.len()..pair[1]];
            let blank = memmem::find(part, b"\r\n\r\n").unwrap();
            let head = std::str::from_utf8(&part[..blank]).unwrap();
            let after = |start: &str, end: char| {
                let at = head.find(start)? + start.len();
                Some(head[at..].split(end).next().unwrap().to_owned())
            };
            let name = after(" name=\"", '"').unwrap();
            (name, after("filename=\"", '"'), after("Content-Type: ", '\r'), part[blank + 4..].to_vec())
        };
        places.windows(2).map(part).collect()
    }

    #[test]
    fn names_cannot_break_out() {
        let mut form = Form::default();
        form.file("a\"\r\nX: y", "f\"\n.png", "image/png\r\nX: y", vec![1]);
        let (content_type, body) = form.finish();
        let found = read(&content_type, &body);
        let want = (
            "a%22%0D%0AX: y".to_owned(),
            Some("f%22%0A.png".to_owned()),
            Some("application/octet-stream".to_owned()),
            vec![1],
        );
        assert_eq!(found, [want]);
    }

    #[test]
    fn the_boundary_follows_from_the_data_and_is_not_in_it() {
        let written = |data: &[u8]| {
            let mut form = Form::default();
            form.file("image", "a.png", "image/png", data.to_vec());
            form.finish()
        };
        let (first, _) = written(b"data");
        assert_eq!(written(b"data").0, first);
        assert_ne!(written(b"date").0, first);
        // Data that holds the very boundary it would get.
        let of = |tail: &str| {
            let mut form = Form::default();
            form.text("p", &format!("{}{tail}", "x".repeat(HASHED)));
            form.boundary()
        };
        let first = of(&"-".repeat(25));
        assert_eq!(of(&"+".repeat(25)), first, "only the start is hashed");
        assert_ne!(of(&first), first);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(parts in proptest::collection::vec(("[a-z\\[\\]]{1,8}", proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), any::<u8>()], 0..60)), 1..6)) {
            let mut form = Form::default();
            for (name, data) in &parts {
                form.file(name, "f", "image/webp", data.clone());
            }
            let (content_type, body) = form.finish();
            let found: Vec<_> = read(&content_type, &body).into_iter().map(|(name, _, _, data)| (name, data)).collect();
            prop_assert_eq!(found, parts);
        }
    }
}
