//! Position-coded data: every byte that a scripted writer sends tells where in
//! the writer's stream it stood.
//!
//! A stream is a row of words of [`WORD`] bytes. Each position in the word has
//! an alphabet of 8 letters of its own (11 * 8 = 88 of the 94 printable ASCII
//! characters), so
//!
//! * one byte tells its offset mod 11, and 11 divides no power of two: a loss of
//!   256, 4,096 or 65,536 bytes, and of up to 10 times as much, shifts the phase;
//! * a word carries 33 bits: 8 for the writer and 25 for the word's index, so 21
//!   contiguous bytes hold a whole word and identify themselves;
//! * the 33 bits are mixed by a bijection before they are spelled, so every
//!   letter of neighbouring words differs with 7 chances in 8. A plain counter
//!   repeats its high digits for thousands of words, and there a lost word
//!   couldn't be told from its neighbour.
//!
//! Printable ASCII only, because text layers must carry it unchanged. Where characters
//! of two bytes are asked for, each letter of the stream is moved up by 256 and
//! spelled in UTF-8: the bytes from offset 2n on spell the letters from n on.

mod kept;

use super::Offer;
pub use kept::prepare;

/// Bytes in a word.
pub const WORD: usize = 11;
/// Writers that can be told apart on one channel.
pub const WRITERS: usize = 1 << WRITER_BITS;
/// Bytes of one stream after which the code starts over (the scenario language
/// caps a stream at 256 MiB).
pub const MAX_STREAM: u64 = (1 << INDEX_BITS) * WORD as u64;

/// Most that an actor sends into a channel (bytes): the streams reach a little further.
pub const MOST_SENT: u64 = 256 << 20;
const _: () = assert!(MOST_SENT <= MAX_STREAM);

const WRITER_BITS: u32 = 8;
const INDEX_BITS: u32 = 25;
const MASK: u64 = (1 << (WRITER_BITS + INDEX_BITS)) - 1;
/// The first printable character that isn't a space.
const FIRST: u8 = b'!';
const LETTERS: u8 = 8;

/// Odd, so multiplication is a bijection mod 2^33; the digits of the golden
/// ratio and of the square root of 2, for want of a reason to take others.
const MIX: [u64; 2] = [0x1_3c6e_f373, 0x0_b504_f333];
const UNMIX: [u64; 2] = [inverse(MIX[0]), inverse(MIX[1])];
/// A shift of more than half of 33 bits makes `x ^ (x >> SHIFT)` its own inverse.
const SHIFT: u32 = 17;

/// A letter moved up by this is a character of two bytes in UTF-8, and printable
/// (Latin Extended-A).
const UP: u32 = 0x100;
/// Bytes of such a character.
pub const WIDE: usize = 2;

/// Fills `out` with the bytes of `writer`'s stream from `offset` (bytes) on.
/// Writers are taken mod [`WRITERS`], offsets mod [`MAX_STREAM`].
pub fn fill(writer: usize, offset: u64, out: &mut [u8]) {
    match kept::part(writer, offset, out.len()) {
        Some(bytes) => out.copy_from_slice(bytes),
        None => make(writer, offset, out),
    }
}

/// Does something with the same bytes, which most often need not be made for it.
pub fn with<T>(writer: usize, offset: u64, len: usize, work: impl FnOnce(&[u8]) -> T) -> T {
    if let Some(bytes) = kept::part(writer, offset, len) {
        return work(bytes);
    }
    let mut bytes = vec![0; len];
    make(writer, offset, &mut bytes);
    work(&bytes)
}

fn make(writer: usize, offset: u64, out: &mut [u8]) {
    let mut index = offset / WORD as u64;
    let skip = (offset % WORD as u64) as usize;
    let (head, rest) = out.split_at_mut(((WORD - skip) % WORD).min(out.len()));
    if !head.is_empty() {
        head.copy_from_slice(&word(writer, index)[skip..skip + head.len()]);
        index += 1;
    }
    let mut words = rest.chunks_exact_mut(WORD);
    for out in &mut words {
        out.copy_from_slice(&word(writer, index));
        index += 1;
    }
    let tail = words.into_remainder();
    tail.copy_from_slice(&word(writer, index)[..tail.len()]);
}

/// The byte at `offset` of `writer`'s stream.
pub fn byte_at(writer: usize, offset: u64) -> u8 {
    word(writer, offset / WORD as u64)[(offset % WORD as u64) as usize]
}

/// The bytes of one write step: the stream from `offer.offset` on, in pieces of
/// `offer.piece` bytes, each ending in a line feed if `offer.newline`.
pub fn offer_bytes(writer: usize, offer: &Offer) -> Vec<u8> {
    let mut bytes = vec![0; offer.len as usize];
    fill_offer(writer, offer, &mut bytes);
    bytes
}

/// Does the same into a buffer of `offer.len` bytes.
pub fn fill_offer(writer: usize, offer: &Offer, out: &mut [u8]) {
    if offer.wide {
        // What is left of a message may begin within a character.
        let within = (offer.offset % WIDE as u64) as usize;
        let mut letters = vec![0; (within + out.len()).div_ceil(WIDE)];
        fill(writer, offer.offset / WIDE as u64, &mut letters);
        let bytes = letters.into_iter().flat_map(|letter| {
            let mut spelled = [0; WIDE];
            let letter = char::from_u32(u32::from(letter) + UP).expect("0x121 to 0x178");
            letter.encode_utf8(&mut spelled);
            spelled
        });
        out.iter_mut().zip(bytes.skip(within)).for_each(|(out, byte)| *out = byte);
        return;
    }
    fill(writer, offer.offset, out);
    if offer.newline {
        for piece in out.chunks_mut(offer.piece.clamp(1, offer.len.max(1)) as usize) {
            piece[piece.len() - 1] = b'\n';
        }
    }
}

/// The place in a word (0 to 10) where a byte stands; `None` for a byte that no
/// word has.
pub fn phase(byte: u8) -> Option<usize> {
    let letter = byte.checked_sub(FIRST)?;
    (letter < LETTERS * WORD as u8).then_some((letter / LETTERS) as usize)
}

/// The letter that two bytes spell.
pub fn narrow(wide: [u8; WIDE]) -> Option<u8> {
    let text = str::from_utf8(&wide).ok()?;
    u8::try_from(u32::from(text.chars().next()?).checked_sub(UP)?).ok()
}

/// The writer and the offset (bytes) of a whole word; `None` if it isn't one.
pub fn locate(word: &[u8; WORD]) -> Option<(usize, u64)> {
    let mut code = 0;
    for (place, &byte) in word.iter().enumerate() {
        if phase(byte)? != place {
            return None;
        }
        code |= (((byte - FIRST) % LETTERS) as u64) << (3 * place);
    }
    let code = unmix(code);
    Some(((code >> INDEX_BITS) as usize, (code & ((1 << INDEX_BITS) - 1)) * WORD as u64))
}

/// The letters that may stand at a place of a word.
pub fn alphabet(place: usize) -> impl Iterator<Item = u8> {
    let first = FIRST + LETTERS * place as u8;
    first..first + LETTERS
}

fn word(writer: usize, index: u64) -> [u8; WORD] {
    // The first letter of each of a word's places.
    const LOW: u64 = u64::from_le_bytes([33, 41, 49, 57, 65, 73, 81, 89]);
    const HIGH: u32 = u32::from_le_bytes([97, 105, 113, 0]);
    let writer = (writer % WRITERS) as u64;
    let code = mix(writer << INDEX_BITS | index & ((1 << INDEX_BITS) - 1));
    // Spreads groups of three bits over bytes: 24 bits in three halvings.
    let mut low = code & 0xff_ffff;
    low = (low | low << 20) & 0x0000_0fff_0000_0fff;
    low = (low | low << 10) & 0x003f_003f_003f_003f;
    low = (low | low << 5) & 0x0707_0707_0707_0707;
    let high = (code >> 24) as u32;
    let high = high & 7 | (high & 0o70) << 5 | (high & 0o700) << 10;
    let mut word = [0; WORD];
    word[..8].copy_from_slice(&(low + LOW).to_le_bytes());
    word[8..].copy_from_slice(&(high + HIGH).to_le_bytes()[..3]);
    word
}

fn mix(mut code: u64) -> u64 {
    for factor in MIX {
        code = code.wrapping_mul(factor) & MASK;
        code ^= code >> SHIFT;
    }
    code
}

fn unmix(mut code: u64) -> u64 {
    for factor in UNMIX.into_iter().rev() {
        code ^= code >> SHIFT;
        code = code.wrapping_mul(factor) & MASK;
    }
    code
}

/// The inverse of an odd number mod 2^64 by Newton's iteration: each round
/// doubles the number of right bits, beginning with the three of `odd` itself.
const fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut round = 0;
    while round < 5 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse)));
        round += 1;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_kept_is_what_would_be_made(
            parts in proptest::collection::vec((0..6usize, 0..700_000u64, 0..9_000usize), 1..8),
        ) {
            for (writer, offset, len) in parts {
                let [mut filled, mut made] = [vec![0; len], vec![0; len]];
                fill(writer, offset, &mut filled);
                make(writer, offset, &mut made);
                prop_assert_eq!(&filled, &made);
                // And from where it is kept on.
                fill(writer, offset / 16, &mut filled);
                make(writer, offset / 16, &mut made);
                prop_assert_eq!(&filled, &made);
                prop_assert!(with(writer, offset / 16, len, |bytes| bytes == made));
            }
        }
    }

    #[test]
    fn a_byte_tells_its_offset_mod_eleven() {
        let mut bytes = vec![0; 100_000];
        fill(7, 0, &mut bytes);
        for (offset, &byte) in bytes.iter().enumerate() {
            assert!((0x21..=0x7e).contains(&byte));
            assert_eq!(phase(byte), Some(offset % WORD));
            assert!(alphabet(offset % WORD).any(|letter| letter == byte));
        }
    }

    #[test]
    fn any_part_of_a_wide_stream_is_a_part_of_the_whole() {
        let offer = |offset, len| Offer { offset, len, piece: len, wide: true, newline: false };
        let whole = offer_bytes(3, &offer(0, 100));
        assert!(str::from_utf8(&whole).is_ok());
        for start in 0..20 {
            for end in start..100 {
                let part = offer_bytes(3, &offer(start as u64, (end - start) as u64));
                assert_eq!(part, whole[start..end]);
            }
        }
    }

    #[test]
    fn neighbouring_words_differ_in_most_letters() {
        let equal: usize = (0..10_000)
            .map(|index| {
                let (here, next) = (word(0, index), word(0, index + 1));
                here.iter().zip(&next).filter(|(a, b)| a == b).count()
            })
            .sum();
        // One in eight by chance; a plain counter has ten in eleven.
        assert!(equal < 110_000 / 6, "{equal} of 110000");
    }

    #[test]
    fn pieces_end_in_line_feeds() {
        let offer = Offer { offset: 5, len: 10, piece: 4, newline: true, wide: false };
        let bytes = offer_bytes(0, &offer);
        let feeds: Vec<usize> = (0..10).filter(|&at| bytes[at] == b'\n').collect();
        assert_eq!(feeds, [3, 7, 9]);
        assert_eq!(bytes[4], byte_at(0, 9));
    }

    #[test]
    fn wide_characters_spell_the_letters_of_the_stream() {
        let offer = Offer { offset: 44, len: 200, piece: 200, newline: false, wide: true };
        let bytes = offer_bytes(3, &offer);
        let text = str::from_utf8(&bytes).unwrap();
        assert_eq!(text.chars().count(), 100);
        for (index, letter) in bytes.chunks(WIDE).enumerate() {
            let letter = narrow([letter[0], letter[1]]);
            assert_eq!(letter, Some(byte_at(3, 22 + index as u64)));
        }
        assert_eq!(narrow(*b"ab"), None);
    }

    /// Why the data is position-coded. Data that repeats every 256 bytes, and a
    /// pattern keyed by the offset in its 4,096-byte block, are the same before
    /// and after a loss aligned to their period; a detector that compares what
    /// came with what should come finds nothing.
    #[test]
    fn data_with_a_power_of_two_period_hides_an_aligned_loss() {
        let periodic: Vec<u8> = (0..200_000u32).map(|at| at as u8).collect();
        let mut coded = vec![0; 200_000];
        fill(0, 0, &mut coded);
        for lost in [256, 4096, 65_536] {
            let without = |all: &[u8]| [&all[..8192], &all[8192 + lost..]].concat();
            let hidden = without(&periodic);
            assert_eq!(hidden, periodic[..hidden.len()]);
            let seen = without(&coded);
            assert_ne!(seen[8192..8192 + 4], coded[8192..8192 + 4]);
        }
    }

    #[test]
    fn no_two_words_are_the_same() {
        let words: HashSet<_> =
            (0..200).flat_map(|writer| (0..500).map(move |index| word(writer, index))).collect();
        assert_eq!(words.len(), 100_000);
    }

    proptest! {
        #[test]
        fn a_word_is_located(writer in 0..WRITERS, index in 0u64..1 << INDEX_BITS) {
            prop_assert_eq!(locate(&word(writer, index)), Some((writer, index * WORD as u64)));
        }

        #[test]
        fn a_part_is_filled_as_the_whole_is(writer in 0..WRITERS, from in 0u64..100_000, len in 0usize..100) {
            let mut part = vec![0; len];
            fill(writer, from, &mut part);
            for (offset, &byte) in (from..).zip(&part) {
                prop_assert_eq!(byte, byte_at(writer, offset));
            }
        }
    }
}
