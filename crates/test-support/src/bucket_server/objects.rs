//! What a bucket does with objects.

use std::collections::BTreeMap;

use super::{
    exchange::{Call, Reply},
    signature::digest,
};

/// Objects by key.
#[derive(Debug)]
pub(super) struct Objects {
    pub(super) by_key: BTreeMap<String, Vec<u8>>,
    /// Most entries in one answer to a listing.
    pub(super) page: usize,
    /// Whether conditions are not heard.
    pub(super) overwrites: bool,
}

impl Default for Objects {
    fn default() -> Self {
        Self {
            by_key: BTreeMap::new(),
            page: 1000,
            overwrites: false,
        }
    }
}

impl Objects {
    pub(super) fn get(&self, call: &Call) -> Reply {
        let Some(bytes) = self.by_key.get(call.key()) else {
            return Reply::error(404, "NoSuchKey");
        };
        let reply = match call.header("range").and_then(range) {
            None => Reply::new(200, bytes.clone()),
            Some((first, last)) if first < bytes.len() => {
                let last = last.min(bytes.len() - 1);
                let place = format!("bytes {first}-{last}/{}", bytes.len());
                Reply::new(206, &bytes[first..=last]).with("Content-Range", place)
            }
            Some(_) => return Reply::error(416, "InvalidRange"),
        };
        reply
            .with("ETag", tag(bytes))
            .with("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
    }

    pub(super) fn put(&mut self, call: &Call) -> Reply {
        let there = self.by_key.get(call.key());
        let fits = match (call.header("if-none-match"), call.header("if-match")) {
            (Some("*"), None) => there.is_none(),
            (None, Some(expected)) => there.is_some_and(|bytes| tag(bytes) == expected),
            (None, None) => true,
            _ => return Reply::error(501, "NotImplemented"),
        };
        if !fits && !self.overwrites {
            return Reply::error(412, "PreconditionFailed");
        }
        self.by_key.insert(call.key().to_owned(), call.body.clone());
        Reply::new(200, "").with("ETag", tag(&call.body))
    }

    /// A page of keys that begin with a prefix, those with the same beginning up to a delimiter as one.
    pub(super) fn list(&self, call: &Call) -> Reply {
        let (prefix, delimiter) = (call.text("prefix"), call.text("delimiter"));
        let after = match call.parameter("continuation-token") {
            Some(_) => call.text("continuation-token"),
            None => call.text("start-after"),
        };
        let mut entries: BTreeMap<String, String> = BTreeMap::new();
        for (key, bytes) in self.by_key.iter().filter(|(key, _)| key.starts_with(&prefix)) {
            let rest = &key[prefix.len()..];
            let common = (!delimiter.is_empty())
                .then(|| {
                    rest.find(&delimiter)
                        .map(|end| &key[..prefix.len() + end + delimiter.len()])
                })
                .flatten();
            match common {
                Some(common) => {
                    let entry = format!("<CommonPrefixes><Prefix>{common}</Prefix></CommonPrefixes>");
                    entries.insert(common.to_owned(), entry);
                }
                None => {
                    let entry = format!(
                        "<Contents><Key>{key}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified>\
                         <ETag>{}</ETag><Size>{}</Size></Contents>",
                        tag(bytes).replace('"', "&quot;"),
                        bytes.len()
                    );
                    entries.insert(key.clone(), entry);
                }
            }
        }
        let rest: Vec<(String, String)> = entries.into_iter().filter(|(name, _)| *name > after).collect();
        let page = &rest[..rest.len().min(self.page)];
        let more = match page.last() {
            Some((last, _)) if page.len() < rest.len() => {
                format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{last}</NextContinuationToken>")
            }
            _ => "<IsTruncated>false</IsTruncated>".to_owned(),
        };
        let page: String = page.iter().map(|(_, entry)| entry.as_str()).collect();
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult \
             xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{more}{page}</ListBucketResult>"
        );
        Reply::new(200, text).with("Content-Type", "application/xml")
    }
}

fn tag(bytes: &[u8]) -> String {
    format!("\"{}\"", &digest(bytes)[..32])
}

/// The first and the last byte of `bytes=3-7`.
fn range(header: &str) -> Option<(usize, usize)> {
    let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    Some((first.parse().ok()?, last.parse().unwrap_or(usize::MAX)))
}
