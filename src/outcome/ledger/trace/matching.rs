//! Comparing at the speed of memory.

/// How many bytes `a` and `b` have in common at their beginnings.
pub fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    const BLOCK: usize = 256;
    let len = a.len().min(b.len());
    let (a, b) = (&a[..len], &b[..len]);
    let blocks = a.chunks(BLOCK).zip(b.chunks(BLOCK));
    let equal = blocks.take_while(|(a, b)| a == b).count() * BLOCK;
    let equal = equal.min(len);
    equal + a[equal..].iter().zip(&b[equal..]).take_while(|(a, b)| a == b).count()
}

/// How many bytes they have in common at their ends.
pub fn common_suffix(a: &[u8], b: &[u8]) -> usize {
    a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count()
}
