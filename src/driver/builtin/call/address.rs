//! Addresses of sockets (unix(7), ip(7)) and how a script writes them.

use std::net::Ipv4Addr;

use nix::errno::Errno;

use super::{Refused, Result, Words};

/// A `struct sockaddr` as the kernel takes and gives it.
pub(super) struct Address(Vec<u8>);

/// Where the name begins: behind the family.
const NAME: usize = std::mem::size_of::<libc::sa_family_t>();

/// More than any address has.
const ROOM: usize = std::mem::size_of::<libc::sockaddr_storage>();

impl Address {
    /// The address that a word stands for with the socket `fd`; `inet-family` among the others
    /// gives it a family that isn't its own.
    pub(super) fn of(word: &str, words: &Words<'_>, fd: i32) -> Result<Address> {
        let unix = if words.has("inet-family") { libc::AF_INET } else { libc::AF_UNIX };
        Ok(match word.split_at_checked(1) {
            Some(("=", digits)) => Address(bytes(digits)?),
            // The kernel chooses a name, or a port.
            Some(("@", "")) if is_inet(fd) => {
                Address::new(libc::AF_INET, &[&[0; 2], &Ipv4Addr::LOCALHOST.octets(), &[0; 8]])
            }
            Some(("@", "")) => Address::new(unix, &[]),
            Some(("@", name)) => {
                Address::new(unix, &[&[0], prefix()?.as_bytes(), name.replace("\\0", "\0").as_bytes()])
            }
            _ if word == "nothing" => Address::new(libc::AF_UNSPEC, &[&[0; 14]]),
            _ => Address::new(unix, &[word.as_bytes(), &[0]]),
        })
    }

    fn new(family: i32, name: &[&[u8]]) -> Address {
        let mut bytes = (family as libc::sa_family_t).to_ne_bytes().to_vec();
        bytes.extend(name.iter().copied().flatten());
        Address(bytes)
    }

    /// What a call puts into the room that it is given.
    pub(super) fn asked(
        call: impl FnOnce(*mut libc::sockaddr, *mut libc::socklen_t) -> i32,
    ) -> Result<Address> {
        let mut bytes = vec![0; ROOM];
        let mut length = ROOM as libc::socklen_t;
        Errno::result(call(bytes.as_mut_ptr().cast(), &mut length))?;
        bytes.truncate(length as usize);
        Ok(Address(bytes))
    }

    /// For a call that takes one.
    pub(super) fn parts(&self) -> (*const libc::sockaddr, libc::socklen_t) {
        (self.0.as_ptr().cast(), self.0.len() as libc::socklen_t)
    }

    /// As `of` takes it, but for what the kernel has chosen: `autobind`, `loopback`.
    pub(super) fn word(&self) -> Result<String> {
        let Some((family, name)) = self.0.split_at_checked(NAME) else { return Ok("unnamed".into()) };
        if *family != (libc::AF_UNIX as libc::sa_family_t).to_ne_bytes() {
            return Ok("loopback".into());
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace('\0', "\\0");
        Ok(match name {
            [] => "unnamed".into(),
            [0, digits @ ..] if digits.len() == 5 && digits.iter().all(u8::is_ascii_hexdigit) => {
                "autobind".into()
            }
            [0, name @ ..] => {
                let prefix = prefix()?;
                format!("@{}", text(name.strip_prefix(prefix.as_bytes()).unwrap_or(name)))
            }
            [path @ .., 0] => text(path),
            path => text(path),
        })
    }
}

fn is_inet(fd: i32) -> bool {
    let (mut family, mut size) = (0_i32, size_of::<i32>() as libc::socklen_t);
    let place = std::ptr::from_mut(&mut family).cast();
    // SAFETY: the kernel writes at most one int.
    let asked = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_DOMAIN, place, &mut size) };
    asked == 0 && family == libc::AF_INET
}

/// What abstract names of a case begin with: cases at the same time are in different
/// folders.
fn prefix() -> Result<String> {
    let folder = nix::sys::stat::stat(".")?;
    Ok(format!("pipelab-{:x}-{:x}/", folder.st_dev, folder.st_ino))
}

/// The bytes that hexadecimal digits spell.
fn bytes(digits: &str) -> Result<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs
        .map(byte)
        .collect::<Option<_>>()
        .ok_or_else(|| Refused::Misused(format!("`{digits}` is no address")))
}
