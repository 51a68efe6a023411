//! Encrypts for browsers what standard input says, a line each: `p256dh auth plaintext`, in base64url. Prints each message's body, in
//! base64url, and its `Authorization`. The test in `tests/http-ece` reads them by another implementation of the standards.

use std::error::Error;
use std::io;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use doorbell_domain::Timestamp;
use doorbell_domain::signing_key::KeyLife;
use doorbell_domain::web_push::SubscriptionKeys;
use doorbell_keys::{SystemEntropy, VapidKey, VapidKeySet};
use doorbell_push::web_push::{Authorizations, Subject, encrypt};
use uuid::Uuid;

/// When it is for whoever reads the tokens.
const NOW: Timestamp = Timestamp::from_micros(0);

fn main() -> Result<(), Box<dyn Error>> {
    let key = VapidKey::restore(Uuid::nil(), KeyLife::since(NOW), &[7; 32])?;
    let keys = VapidKeySet::new([key]).ok_or("no key")?;
    let subject = Subject::parse("mailto:push@example.com")?;
    let authorizations = Authorizations::new(Arc::new(keys), subject);
    for line in io::stdin().lines() {
        let line = line?;
        let mut parts = line.split(' ').map(|part| BASE64_URL_SAFE_NO_PAD.decode(part));
        let mut next = || parts.next().ok_or("a line has three parts");
        let (p256dh, auth, plaintext) = (next()??, next()??, next()??);
        let octets = |_| "a key has another length";
        let keys = SubscriptionKeys::restore(
            p256dh.try_into().map_err(octets)?,
            auth.try_into().map_err(octets)?,
        );
        let body = encrypt(&plaintext, &keys, &SystemEntropy)?;
        let id = Uuid::nil().to_string();
        let authorization = authorizations.header(&id, "https://push.example.com", NOW)?;
        println!(
            "{} {}",
            BASE64_URL_SAFE_NO_PAD.encode(body),
            authorization.to_str()?
        );
    }
    Ok(())
}
