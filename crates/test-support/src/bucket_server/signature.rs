//! Whether a request is signed as Amazon's "Signature Version 4" wants it, worked out from its documentation.

use sha2::{Digest, Sha256};

use super::{
    BucketServer,
    exchange::{Call, Reply},
};

const BLOCK: usize = 64;

/// Refuses what nobody has signed whom we know.
pub(super) fn check(call: &Call) -> Result<(), Reply> {
    let header = |name| call.header(name).unwrap_or_default();
    let authorization = header("authorization");
    let part = |name: &str| {
        let (_, rest) = authorization.split_once(&format!("{name}="))?;
        Some(rest.split([',', ' ']).next().unwrap_or(rest))
    };
    let (Some(credential), Some(signed), Some(found)) = (part("Credential"), part("SignedHeaders"), part("Signature"))
    else {
        return Err(Reply::error(403, "AccessDenied"));
    };
    let (key_id, scope) = credential.split_once('/').unwrap_or((credential, ""));
    if key_id != BucketServer::KEY_ID {
        return Err(Reply::error(403, "InvalidAccessKeyId"));
    }
    let [date, region, service, _] = scope.split('/').collect::<Vec<_>>()[..] else {
        return Err(Reply::error(400, "AuthorizationHeaderMalformed"));
    };
    if region != BucketServer::REGION {
        let found = format!("<Region>{}</Region>", BucketServer::REGION);
        return Err(Reply::error_with(400, "AuthorizationHeaderMalformed", &found));
    }
    if header("x-amz-content-sha256") != digest(&call.body) {
        return Err(Reply::error(400, "XAmzContentSHA256Mismatch"));
    }
    let mut key = format!("AWS4{}", BucketServer::SECRET_KEY).into_bytes();
    for part in [date, region, service, "aws4_request"] {
        key = authenticate(&key, part.as_bytes());
    }
    let request = canonical(call, signed);
    let text = format!(
        "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
        header("x-amz-date"),
        digest(request.as_bytes())
    );
    match hex(&authenticate(&key, text.as_bytes())) == found {
        true => Ok(()),
        false => Err(Reply::error(403, "SignatureDoesNotMatch")),
    }
}

/// What is signed of a request.
fn canonical(call: &Call, signed: &str) -> String {
    let mut query: Vec<String> = call
        .query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    query.sort();
    let headers: String = signed
        .split(';')
        .map(|name| format!("{name}:{}\n", call.header(name).unwrap_or_default()))
        .collect();
    format!(
        "{}\n{}\n{}\n{headers}\n{signed}\n{}",
        call.method,
        call.path,
        query.join("&"),
        call.header("x-amz-content-sha256").unwrap_or_default()
    )
}

/// HMAC with SHA-256.
fn authenticate(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0; BLOCK];
    match key.len() <= BLOCK {
        true => block[..key.len()].copy_from_slice(key),
        false => block[..32].copy_from_slice(&Sha256::digest(key)),
    }
    let pad = |byte: u8| block.map(|part| part ^ byte);
    let inner = Sha256::digest([&pad(0x36)[..], message].concat());
    Sha256::digest([&pad(0x5c)[..], &inner].concat()).to_vec()
}

/// SHA-256 as text.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, cases 1 and 6.
    #[test]
    fn messages_are_authenticated_as_the_standard_has_it() {
        assert_eq!(
            hex(&authenticate(&[0x0b; 20], b"Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            hex(&authenticate(
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First"
            )),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }
}
