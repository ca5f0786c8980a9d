//! Device keys: Ed25519, in OpenSSH's forms, so that `ssh-keygen` can check everything we sign.

use cairn_core::id::DeviceId;
use sha2::{Digest, Sha256};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};

/// The SSHSIG namespace of commits, as git has it.
pub const GIT: &str = "git";

/// What can be wrong with a key or a signature.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the operating system gave no random bytes: {0}")]
    Random(String),
    #[error("this is no Ed25519 key in OpenSSH's form")]
    Form,
    #[error("the passphrase is wrong")]
    Passphrase,
    #[error("the signature does not match the key")]
    Signature,
    #[error("{0}")]
    Words(String),
}

/// The private key of this computer.
#[derive(Clone)]
pub struct DeviceKey {
    key: PrivateKey,
}

impl std::fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the key itself: debug output ends up in logs.
        write!(f, "DeviceKey({})", self.id())
    }
}

impl DeviceKey {
    /// A new key from the operating system's randomness.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = [0_u8; 32];
        getrandom::fill(&mut seed).map_err(|e| KeyError::Random(e.to_string()))?;
        Self::from_seed(&seed)
    }

    /// The key of a seed. For tests and `generate`.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let pair = Ed25519Keypair::from_seed(seed);
        let key = PrivateKey::new(KeypairData::Ed25519(pair), "cairn").map_err(|_| KeyError::Form)?;
        Ok(Self { key })
    }

    /// The key as 24 words that can be written down (BIP 39, English): 256 bits and a checksum.
    pub fn words(&self) -> Result<Vec<String>, KeyError> {
        let KeypairData::Ed25519(pair) = self.key.key_data() else { return Err(KeyError::Form) };
        let words = bip39::Mnemonic::from_entropy(&pair.private.to_bytes()).map_err(|e| KeyError::Words(e.to_string()))?;
        Ok(words.words().map(str::to_owned).collect())
    }

    /// The key of 24 words; says which word cannot be one of them.
    pub fn from_words(words: &str) -> Result<Self, KeyError> {
        let typed: Vec<String> = words.split_whitespace().map(str::to_lowercase).collect();
        let found = bip39::Mnemonic::parse_in_normalized(bip39::Language::English, &typed.join(" ")).map_err(|e| {
            KeyError::Words(match e {
                bip39::Error::BadWordCount(n) => format!("there are {n} words"),
                bip39::Error::UnknownWord(i) => {
                    format!("word {}, \u{201c}{}\u{201d}, is not in the list", i + 1, typed.get(i).map_or("", String::as_str))
                }
                _ => "a word is wrong, or two are swapped".to_owned(),
            })
        })?;
        let seed: [u8; 32] = found.to_entropy().try_into().map_err(|_| KeyError::Words(format!("there are {} words", typed.len())))?;
        Self::from_seed(&seed)
    }

    /// Reads the text of [`Self::to_text`], or of [`Self::to_encrypted_text`] with its passphrase.
    pub fn from_text(text: &str, passphrase: Option<&str>) -> Result<Self, KeyError> {
        let key = PrivateKey::from_openssh(text).map_err(|_| KeyError::Form)?;
        let key = match (key.is_encrypted(), passphrase) {
            (false, _) => key,
            (true, Some(phrase)) => key.decrypt(phrase).map_err(|_| KeyError::Passphrase)?,
            (true, None) => return Err(KeyError::Passphrase),
        };
        if matches!(key.key_data(), KeypairData::Ed25519(_)) { Ok(Self { key }) } else { Err(KeyError::Form) }
    }

    /// The key in OpenSSH's form, in the clear: only for the system keyring.
    pub fn to_text(&self) -> Result<String, KeyError> {
        self.key.to_openssh(LineEnding::LF).map(|text| text.to_string()).map_err(|_| KeyError::Form)
    }

    /// The key in OpenSSH's form, encrypted (bcrypt-pbkdf and AES-256-CTR): for computers without a keyring.
    pub fn to_encrypted_text(&self, passphrase: &str) -> Result<String, KeyError> {
        let mut salt_and_check = [0_u8; 20];
        getrandom::fill(&mut salt_and_check).map_err(|e| KeyError::Random(e.to_string()))?;
        let (salt, check) = salt_and_check.split_at(16);
        let check = u32::from_le_bytes(check.try_into().map_err(|_| KeyError::Form)?);
        let kdf = ssh_key::Kdf::Bcrypt { salt: salt.to_vec(), rounds: 24 };
        let locked = self.key.encrypt_with(ssh_key::Cipher::Aes256Ctr, kdf, check, passphrase).map_err(|_| KeyError::Form)?;
        locked.to_openssh(LineEnding::LF).map(|text| text.to_string()).map_err(|_| KeyError::Form)
    }

    /// `ssh-ed25519 AAAA…`, without a comment.
    pub fn public(&self) -> String {
        let mut public = self.key.public_key().clone();
        public.set_comment("");
        // An Ed25519 public key always has a text form.
        public.to_openssh().unwrap_or_default().trim_end().to_owned()
    }

    pub fn id(&self) -> DeviceId {
        // The public text was just made from a key, so it reads back.
        device_id(&self.public()).unwrap_or_else(|_| unreachable!("a public key of our own reads back"))
    }

    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    pub fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    /// An armoured SSHSIG over `message`, as `ssh-keygen -Y sign -n NAMESPACE` makes it.
    pub fn sign(&self, namespace: &str, message: &[u8]) -> Result<String, KeyError> {
        let signature = self.key.sign(namespace, HashAlg::Sha512, message).map_err(|_| KeyError::Signature)?;
        signature.to_pem(LineEnding::LF).map_err(|_| KeyError::Signature)
    }
}

/// Checks an armoured SSHSIG against a public key and a namespace.
pub fn verify(public: &str, namespace: &str, message: &[u8], signature: &str) -> Result<(), KeyError> {
    let public = PublicKey::from_openssh(public).map_err(|_| KeyError::Form)?;
    let signature: SshSig = signature.parse().map_err(|_| KeyError::Signature)?;
    public.verify(namespace, message, &signature).map_err(|_| KeyError::Signature)
}

/// The id of a device: 26 characters of lower-case base32 (RFC 4648) over the sha256 of its public
/// key, so that an id can belong to one key only.
pub fn device_id(public: &str) -> Result<DeviceId, KeyError> {
    let hash = key_hash(public)?;
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut id = String::with_capacity(26);
    let (mut bits, mut held) = (0_u32, 0);
    for byte in hash {
        bits = (bits << 8) | u32::from(byte);
        held += 8;
        while held >= 5 && id.len() < 26 {
            held -= 5;
            id.push(char::from(ALPHABET[(bits >> held) as usize & 31]));
        }
    }
    DeviceId::parse(id).map_err(|_| KeyError::Form)
}

/// Four pronounceable words (64 bits, <https://arxiv.org/html/0901.4016>) that two people compare
/// before one lets the other's computer in.
pub fn phrase(public: &str) -> Result<String, KeyError> {
    const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
    const VOWELS: &[u8; 4] = b"aiou";
    let hash = key_hash(public)?;
    let word = |pair: &[u8]| -> String {
        let x = usize::from(u16::from_be_bytes([pair[0], pair[1]]));
        [CONSONANTS[x >> 12], VOWELS[x >> 10 & 3], CONSONANTS[x >> 6 & 15], VOWELS[x >> 4 & 3], CONSONANTS[x & 15]]
            .map(char::from)
            .iter()
            .collect()
    };
    Ok(hash[..8].chunks(2).map(word).collect::<Vec<_>>().join("-"))
}

fn key_hash(public: &str) -> Result<[u8; 32], KeyError> {
    let key = PublicKey::from_openssh(public).map_err(|_| KeyError::Form)?;
    if key.algorithm() != ssh_key::Algorithm::Ed25519 {
        return Err(KeyError::Form);
    }
    let bytes = key.to_bytes().map_err(|_| KeyError::Form)?;
    Ok(Sha256::digest(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_namespace_its_bytes_and_its_key_only() {
        let key = DeviceKey::from_seed(&[7; 32]).unwrap();
        let other = DeviceKey::from_seed(&[8; 32]).unwrap();
        let signature = key.sign("approval@cairn", b"yes").unwrap();
        assert!(verify(&key.public(), "approval@cairn", b"yes", &signature).is_ok());
        assert!(verify(&key.public(), GIT, b"yes", &signature).is_err(), "a commit signature is no approval");
        assert!(verify(&key.public(), "approval@cairn", b"no!", &signature).is_err());
        assert!(verify(&other.public(), "approval@cairn", b"yes", &signature).is_err());
        assert!(verify(&key.public(), "approval@cairn", b"yes", "rubbish").is_err());
    }

    #[test]
    fn an_encrypted_key_opens_with_its_passphrase_only() {
        let key = DeviceKey::from_seed(&[7; 32]).unwrap();
        let locked = key.to_encrypted_text("open sesame").unwrap();
        assert!(locked.contains("OPENSSH PRIVATE KEY"));
        assert!(matches!(DeviceKey::from_text(&locked, Some("wrong")), Err(KeyError::Passphrase)));
        assert!(matches!(DeviceKey::from_text(&locked, None), Err(KeyError::Passphrase)));
        assert_eq!(DeviceKey::from_text(&locked, Some("open sesame")).unwrap().id(), key.id());
    }

    #[test]
    fn a_key_comes_back_from_its_words_and_a_wrong_word_is_named() {
        let key = DeviceKey::from_seed(&[7; 32]).unwrap();
        let words = key.words().unwrap();
        assert_eq!(words.len(), 24);
        assert_eq!(DeviceKey::from_words(&format!("  {}\n", words.join("  ").to_uppercase())).unwrap().id(), key.id());
        let mut typo = words.clone();
        typo[4] = "cairn".to_owned();
        assert!(DeviceKey::from_words(&typo.join(" ")).unwrap_err().to_string().starts_with("word 5"));
        let mut swapped = words.clone();
        swapped.swap(0, 23);
        assert!(DeviceKey::from_words(&swapped.join(" ")).is_err());
        assert!(DeviceKey::from_words(&words[..12].join(" ")).is_err());
    }

    #[test]
    fn id_and_phrase_follow_from_the_public_key() {
        let key = DeviceKey::from_seed(&[1; 32]).unwrap();
        assert_eq!(key.id().as_str().len(), 26);
        assert_eq!(device_id(&format!("{} somebody@laptop", key.public())).unwrap(), key.id(), "the comment is no part of it");
        assert_eq!(phrase(&key.public()).unwrap().split('-').count(), 4);
        assert!(!format!("{key:?}").contains("PRIVATE"), "a key never reaches a log");
    }
}
