//! Sizes at which something changes, and how a person writes them.

use super::{draw::Draw, ground::Moment};
use crate::model::Geometry;

/// What a size is near to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    Zero,
    Page,
    /// The longest write that is kept in one piece, or goes at all.
    Longest,
    /// What the channel holds.
    Capacity,
    /// What is queued there now, as far as the model knows.
    Queued,
    /// What is left of its capacity.
    Room,
    /// So many pages.
    Pages(u64),
    /// Nothing in particular.
    Some,
}

/// A number of bytes, and what it was meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub bytes: u64,
    around: Around,
    delta: i64,
}

/// A third of the sizes are such as these, whatever the channel holds.
const SMALL: u64 = 16;

impl Size {
    /// The size that a draw means in this moment, for a channel.
    pub fn drawn(moment: &Moment<'_>, channel: usize, draw: &Draw) -> Size {
        let page = moment.machine.pipe.page;
        let capacity = moment.scene.capacity;
        let queued = moment.queued.get(channel).copied().flatten().unwrap_or(0);
        let (around, bytes) = match draw.around {
            0..=63 => (Around::Zero, u64::from(draw.around) % SMALL),
            64..=95 => (Around::Page, page),
            96..=111 => (Around::Longest, moment.scene.longest),
            112..=143 => (Around::Capacity, capacity),
            144..=175 => (Around::Queued, queued),
            176..=207 => (Around::Room, capacity.saturating_sub(queued)),
            208..=239 => {
                let pages = 1 + u64::from(draw.around) % (capacity / page + 2);
                (Around::Pages(pages), pages * page)
            }
            240..=255 => {
                (Around::Some, (u64::from(draw.around) << 8 | u64::from(draw.extra)) % (capacity + page))
            }
        };
        // A size that means itself has no neighbours.
        let delta = match (around, draw.delta) {
            (Around::Zero | Around::Some, _) | (_, 0..=127) => 0,
            (_, 128..=191) if bytes > 0 => -1,
            _ => 1,
        };
        Size { bytes: bytes.saturating_add_signed(delta), around, delta }
    }

    /// One that means itself.
    pub const fn of(bytes: u64) -> Size {
        Size { bytes, around: Around::Some, delta: 0 }
    }

    /// As a person would write it. `capacity`: how the scene writes what its channel holds.
    pub fn text(&self, capacity: &str, pipe: Geometry) -> String {
        let name = match self.around {
            Around::Page => "page".to_owned(),
            Around::Capacity => capacity.to_owned(),
            Around::Pages(1) => "page".to_owned(),
            Around::Pages(pages) => format!("{pages}*page"),
            Around::Longest if self.bytes.abs_diff(libc::PIPE_BUF as u64) <= 1 => "pipe_buf".to_owned(),
            Around::Longest | Around::Zero | Around::Queued | Around::Room | Around::Some => {
                return near(self.bytes, pipe);
            }
        };
        match self.delta {
            0 => name,
            delta => format!("{name}{delta:+}"),
        }
    }
}

/// A number of bytes in pages, if it is as good as some.
pub fn near(bytes: u64, pipe: Geometry) -> String {
    let page = pipe.page;
    let pages = (bytes + page / 2) / page;
    let delta = bytes as i64 - (pages * page) as i64;
    if pages == 0 || delta.abs() > 1 {
        return bytes.to_string();
    }
    let name = if pages == 1 { "page".to_owned() } else { format!("{pages}*page") };
    if delta == 0 { name } else { format!("{name}{delta:+}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_near_pages_are_written_in_pages() {
        let pipe = Geometry { page: 4096, slots: 16 };
        let texts = [0, 1, 100, 4095, 4096, 4097, 8192, 12_287, 12_290].map(|bytes| near(bytes, pipe));
        let wanted = ["0", "1", "100", "page-1", "page", "page+1", "2*page", "3*page-1", "12290"];
        assert_eq!(texts, wanted);
    }
}
