//! How values are sent over the bus: encrypted if the provider can, so that they are neither in its log nor in swapped memory of the bus.
//!
//! This does not protect them from a program that answers in place of the provider.

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U1024};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// The name of the encrypted transport: a Diffie-Hellman exchange in the second Oakley group, then AES-128 in CBC mode.
pub(super) const ENCRYPTED: &str = "dh-ietf1024-sha256-aes128-cbc-pkcs7";

/// The name of the transport without encryption. What zvariant makes of a value then is not wiped from memory, as it is not in the provider either.
pub(super) const PLAIN: &str = "plain";

/// The prime of the second Oakley group (RFC 2409, 6.2). Its generator is 2.
const PRIME: &str = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C2\
    45E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF";

/// The bytes of a number of the group.
const NUMBER: usize = 128;

/// The bits of a private number. The group is not worth more.
const PRIVATE_BITS: u32 = 256;

/// The bytes of a key, and of a block.
const KEY: usize = 16;

/// A value as it goes over the bus.
pub(super) struct Sent {
    pub(super) parameters: Vec<u8>,
    pub(super) value: Zeroizing<Vec<u8>>,
}

/// How values are sent, once both sides agreed.
pub(super) enum Transport {
    Plain,
    Encrypted(Zeroizing<[u8; KEY]>),
}

impl Transport {
    /// Makes of a value what is sent. Returns `None` if the system has no random numbers.
    pub(super) fn wrap(&self, value: &[u8]) -> Option<Sent> {
        let Self::Encrypted(key) = self else {
            return Some(Sent { parameters: Vec::new(), value: Zeroizing::new(value.to_vec()) });
        };
        let mut start = [0; KEY];
        getrandom::fill(&mut start).ok()?;
        let mut buffer = Zeroizing::new(vec![0; value.len() + KEY]);
        buffer[..value.len()].copy_from_slice(value);
        let length = cbc::Encryptor::<Aes128>::new((&**key).into(), (&start).into()).encrypt_padded::<Pkcs7>(&mut buffer, value.len()).ok()?.len();
        buffer.truncate(length);
        Some(Sent { parameters: start.to_vec(), value: buffer })
    }

    /// Makes the value of what was sent; `None` if it was not sent in this way.
    pub(super) fn unwrap(&self, parameters: &[u8], value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut buffer = Zeroizing::new(value.to_vec());
        let Self::Encrypted(key) = self else { return Some(buffer) };
        let start: &[u8; KEY] = parameters.try_into().ok()?;
        let length = cbc::Decryptor::<Aes128>::new((&**key).into(), start.into()).decrypt_padded::<Pkcs7>(&mut buffer).ok()?.len();
        buffer.truncate(length);
        Some(buffer)
    }
}

/// This side of the exchange.
pub(super) struct KeyExchange {
    private: Zeroizing<U1024>,
}

impl KeyExchange {
    /// Draws a private number. Returns `None` if the system has no random numbers.
    pub(super) fn new() -> Option<Self> {
        let mut random = Zeroizing::new([0; NUMBER]);
        getrandom::fill(&mut random[NUMBER - PRIVATE_BITS as usize / 8..]).ok()?;
        Some(Self { private: Zeroizing::new(U1024::from_be_slice(&*random)) })
    }

    /// The number for the other side.
    pub(super) fn public(&self) -> Vec<u8> {
        self.power_of(&U1024::from_u8(2)).to_be_bytes().as_ref().to_vec()
    }

    /// The transport with the key that both sides can compute; `None` if the other side's number would give it away.
    pub(super) fn transport(&self, theirs: &[u8]) -> Option<Transport> {
        let mut number = [0; NUMBER];
        number.get_mut(NUMBER.checked_sub(theirs.len())?..)?.copy_from_slice(theirs);
        let theirs = U1024::from_be_slice(&number);
        let last = prime().wrapping_sub(&U1024::ONE);
        if theirs <= U1024::ONE || theirs >= last {
            return None;
        }
        let shared = Zeroizing::new(self.power_of(&theirs));
        let mut key = Zeroizing::new([0; KEY]);
        Hkdf::<Sha256>::new(None, Zeroizing::new(shared.to_be_bytes()).as_ref()).expand(&[], &mut *key).ok()?;
        Some(Transport::Encrypted(key))
    }

    fn power_of(&self, base: &U1024) -> U1024 {
        let parameters = FixedMontyParams::new_vartime(prime());
        FixedMontyForm::new(base, &parameters).pow_bounded_exp(&*self.private, PRIVATE_BITS).retrieve()
    }
}

fn prime() -> Odd<U1024> {
    Odd::<U1024>::from_be_hex(PRIME)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn both_sides_compute_the_same_key_and_read_what_the_other_sent() {
        let (mine, theirs) = (KeyExchange::new().unwrap(), KeyExchange::new().unwrap());
        let (here, there) = (mine.transport(&theirs.public()).unwrap(), theirs.transport(&mine.public()).unwrap());
        for value in ["", "a", "0123456789abcdef", &"x".repeat(100_000)] {
            let sent = here.wrap(value.as_bytes()).unwrap();
            // A short one may be there by chance.
            assert!(value.len() < KEY || !String::from_utf8_lossy(&sent.value).contains(value));
            assert_eq!(there.unwrap(&sent.parameters, &sent.value).unwrap().as_slice(), value.as_bytes());
        }
        let sent = [here.wrap(b"same").unwrap(), here.wrap(b"same").unwrap()];
        assert_ne!(sent[0].value, sent[1].value, "each value has another beginning");
    }

    #[test]
    fn what_was_not_sent_in_this_way_is_no_value() {
        let (mine, theirs) = (KeyExchange::new().unwrap(), KeyExchange::new().unwrap());
        let transport = mine.transport(&theirs.public()).unwrap();
        let sent = transport.wrap(b"0123456789abcdef").unwrap();
        assert!(transport.unwrap(&[], &sent.value).is_none());
        assert!(transport.unwrap(&[0; 17], &sent.value).is_none());
        assert!(transport.unwrap(&sent.parameters, &sent.value[..17]).is_none());
        assert!(transport.unwrap(&sent.parameters, b"").is_none());
    }

    #[test]
    fn a_number_that_would_give_the_key_away_is_refused() {
        let mine = KeyExchange::new().unwrap();
        let prime = prime();
        for number in [U1024::ZERO, U1024::ONE, prime.wrapping_sub(&U1024::ONE), *prime, U1024::MAX] {
            assert!(mine.transport(number.to_be_bytes().as_ref()).is_none());
        }
        assert!(mine.transport(&[]).is_none());
        assert!(mine.transport(&[2; NUMBER + 1]).is_none());
        assert!(mine.transport(&[2]).is_some());
    }
}
