//! The rules of a buffered writer: each a question that runtimes answer differently.
//!
//! A rule has an id, a question, and its answers; an answer says what it means and
//! where it stands in a runtime's source. Two rules are answered by a size. Nothing
//! here says which runtime answers how: that is what a fit finds out.
//!
//! Sources: `Modules/_io/bufferedio.c` and `textio.c` of CPython, `libio/fileops.c` and
//! `genops.c` of glibc, `library/std/src/io/buffered/{bufwriter,linewritershim}.rs` of Rust.

/// One rule; its place in [`RULES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Rule {
    Capacity,
    Chunk,
    Start,
    Overflow,
    Through,
    Direct,
    Short,
    FlushError,
    Room,
    OnError,
    OnFull,
    Count,
    Close,
    Lines,
    ChunkAt,
    ChunkBefore,
    ChunkError,
}

/// An answer of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Unique in its rule, for programs and for short tables.
    pub word: &'static str,
    /// What it means, for a person.
    pub says: &'static str,
    /// A runtime's source that does so.
    pub source: &'static str,
}

/// A line of the table of rules.
#[derive(Clone, Copy, Debug)]
pub struct RuleInfo {
    pub rule: Rule,
    /// Its name for programs.
    pub id: &'static str,
    pub asks: &'static str,
    /// Empty: a size in bytes.
    pub answers: &'static [Answer],
}

/// A rule's answers as a type.
pub trait Choice: Copy + PartialEq + 'static {
    const RULE: Rule;
    /// In the order of the rule's answers.
    const ALL: &'static [Self];
}

macro_rules! rules {
    ($($name:ident $id:literal $asks:literal {
        $($value:ident $word:literal $says:literal $source:literal;)*
    })*) => {
        $(rules!(@choice $name $asks { $($value $says;)* });)*

        /// All rules, in the order of [`Rule`].
        pub const RULES: &[RuleInfo] = &[$(RuleInfo {
            rule: Rule::$name,
            id: $id,
            asks: $asks,
            answers: &[$(Answer { word: $word, says: $says, source: $source },)*],
        },)*];
    };
    // A size has no answers to choose from.
    (@choice $name:ident $asks:literal {}) => {};
    (@choice $name:ident $asks:literal { $($value:ident $says:literal;)+ }) => {
        #[doc = $asks]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = $says] $value,)+
        }

        impl Choice for $name {
            const RULE: Rule = Rule::$name;
            const ALL: &'static [$name] = &[$($name::$value,)+];
        }
    };
}

rules! {
    Capacity "capacity" "How many bytes does the buffer above write(2) hold? (0: there is none)" {}
    Chunk "chunk" "How many bytes does a layer above that buffer collect before it hands them down? (0: there is none)" {}
    Start "start" "Has a stream that was just opened room in its buffer?" {
        Room "room" "a fresh buffer takes bytes like any empty one" "bufferedio.c `_bufferedwriter_init`; bufwriter.rs `with_capacity`";
        NoRoom "none" "a stream's first write finds no room, and goes past the buffer as far as whole buffers go" "fileops.c `_IO_new_file_xsputn`: `_IO_write_end` is NULL until `_IO_new_file_overflow`";
    }
    Overflow "overflow" "What does a write do that doesn't fit into the room that is left?" {
        FlushFirst "flush" "it flushes what is held, and puts nothing of itself there before that has worked" "bufferedio.c `_io_BufferedWriter_write_impl`; bufwriter.rs `write_all_cold`";
        FillFirst "fill" "it fills the buffer up with its own first bytes, and flushes that" "fileops.c `_IO_new_file_xsputn`";
    }
    Through "through" "Does a write that is exactly as long as an empty buffer go through to write(2)?" {
        At "at" "a write as long as the buffer goes through" "bufferedio.c since 3.13 (gh-117151); bufwriter.rs: `buf.len() >= self.buf.capacity()`";
        Above "above" "a write as long as the buffer is kept there; what is longer goes through" "bufferedio.c up to 3.12: `remaining > self->buffer_size`";
    }
    Direct "direct" "How much of what goes past the buffer does one write(2) offer?" {
        Whole "whole" "all that there is" "bufferedio.c `_bufferedwriter_raw_write`; bufwriter.rs `write_all_cold`";
        Blocks "blocks" "as many whole buffers as there are, and the rest is put into the buffer; all of it if the buffer is shorter than 128 bytes" "fileops.c `_IO_new_file_xsputn`: `block_size >= 128 ? to_do % block_size : 0`";
    }
    Short "short" "The kernel takes a part of what goes past the buffer: what then?" {
        GoesOn "goes on" "it offers the rest until all is taken or an error comes" "fileops.c `_IO_new_file_write`; `Write::write_all` in library/std/src/io/mod.rs";
        WhileLarge "while large" "it offers the rest as long as that wouldn't fit into the buffer, and then puts it there" "bufferedio.c: `while (remaining > self->buffer_size)`";
        SaysSo "says so" "it says how much was taken, and no more" "write(2); fileio.c `_io_FileIO_write_impl`";
    }
    FlushError "flush_error" "A flush fails: what becomes of the bytes in the buffer that the kernel hasn't taken?" {
        Keeps "keeps" "they stay, and the next flush tries again" "bufferedio.c `_bufferedwriter_flush_unlocked`; bufwriter.rs `BufGuard`";
        Drops "drops" "they are thrown away" "fileops.c `new_do_write`: the pointers are reset whatever write(2) gave";
    }
    Room "reclaims" "A flush failed after a part was taken: is that part's room free?" {
        AtOnce "at once" "at once" "bufwriter.rs `BufGuard`: its drop moves the rest to the front";
        WhenEmpty "when empty" "only when the buffer is empty, or when a write finds both buffer and kernel full" "bufferedio.c: `write_pos` moves, `pos` doesn't";
    }
    OnError "on_error" "An error (EPIPE) meets a write that doesn't fit: what of its own bytes is put into the buffer?" {
        Nothing "nothing" "nothing: the caller still has them" "bufferedio.c: `goto error`; bufwriter.rs: `?`";
        WhatFits "what fits" "as much as there is room for" "none that is known";
    }
    OnFull "on_full" "EAGAIN meets a write that doesn't fit: what of its own bytes is put into the buffer?" {
        Nothing "nothing" "nothing: the caller still has them" "bufwriter.rs: `?`; fileops.c `_IO_new_file_xsputn`";
        WhatFits "what fits" "as much as there is room for; if that is all of it, the write succeeds" "bufferedio.c: \"Buffer as much as possible\"";
    }
    Count "count" "A write fails after bytes of it were taken, by kernel or buffer: is the caller told how many?" {
        Nothing "nothing" "no" "`Write::write_all` in library/std/src/io/mod.rs";
        Taken "taken" "yes" "fileops.c: `return n - to_do`; bufferedio.c: `characters_written` of BlockingIOError";
    }
    Close "close" "What does close do with what the buffer holds?" {
        Tells "tells" "it flushes once, and says if that fails; what isn't taken then is lost" "bufferedio.c `_io__Buffered_close_impl`; fileops.c `_IO_new_file_close_it`";
        Silent "silent" "it flushes once, and doesn't say if that fails; what isn't taken then is lost" "bufwriter.rs: `let _r = self.flush_buf()` in its drop";
        Drops "drops" "it throws it away" "none that is known";
    }
    Lines "lines" "What does a line feed at the end of a write do?" {
        Ignored "ignored" "nothing: it is a byte like any other" "bufferedio.c, bufwriter.rs, fileops.c without `_IO_LINE_BUF`";
        Flushes "flushes" "once the write is done, all layers are flushed, and the error is the write's" "textio.c: `needflush`";
        Through "through" "with nothing held the write goes through; else it joins what is held, which is flushed. A line that stayed there is tried again before the next write" "linewritershim.rs `write_all`";
        InPlace "in place" "a write that fits is put into the buffer, and flushed; if that flush fails the write says all the same that it took everything" "fileops.c `must_flush`; iofwrite.c: \"as far as fwrite is concerned\"";
    }
    ChunkAt "chunk_at" "Does the collecting layer hand down when it has exactly a chunk?" {
        At "at" "yes" "textio.c since 3.8.9, 3.9.3 and 3.10 (bpo-43260)";
        Above "above" "no, only when it has more" "textio.c up to 3.7: `pending_bytes_count > chunk_size`";
    }
    ChunkBefore "chunk_before" "A write would take the collecting layer past a chunk: does it hand down first what it has?" {
        Together "together" "no, the write goes along" "textio.c up to 3.7";
        Before "before" "yes" "textio.c since bpo-43260: \"Prevent to concatenate more than chunk_size data\"";
        Large "before large" "only if the write alone is a chunk or more" "textio.c since gh-119506: `bytes_len >= self->chunk_size`";
    }
    ChunkError "chunk_error" "The buffer refuses what the collecting layer hands down: does that still have it?" {
        Forgets "forgets" "no, it is lost" "textio.c `_textiowrapper_writeflush` clears `pending_bytes` first";
        Keeps "keeps" "yes, what the buffer hasn't taken" "none that is known";
    }
}

impl Rule {
    /// Its line of the table.
    pub fn info(self) -> &'static RuleInfo {
        &RULES[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_rules_and_words_are_unique() {
        for (at, info) in RULES.iter().enumerate() {
            assert_eq!(info.rule as usize, at, "{}", info.id);
            let mut words: Vec<&str> = info.answers.iter().map(|answer| answer.word).collect();
            words.sort_unstable();
            words.dedup();
            assert_eq!(words.len(), info.answers.len(), "{}", info.id);
            assert!(RULES[..at].iter().all(|other| other.id != info.id), "{}", info.id);
        }
    }
}
