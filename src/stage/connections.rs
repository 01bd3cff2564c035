//! Which sockets have found each other: by the names that they were bound to, and by the
//! queues of listening ones, where the kernel pairs connections with accepts in the order
//! of both.

use std::collections::HashMap;

use super::handles::Way;

#[derive(Debug, Default)]
pub(super) struct Connections {
    /// Who was bound to a name last.
    bound: HashMap<String, Way>,
    /// By the listening socket's number.
    queues: HashMap<usize, Queue>,
    /// Channels of accepts that are still to come, each with its listening socket.
    embryos: HashMap<usize, usize>,
}

#[derive(Debug, Default)]
struct Queue {
    connected: Vec<Way>,
    accepted: Vec<Way>,
}

/// Who is at the other end of a connection that was just made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    Accepted(Way),
    /// An accept that is still to come gets it, and its handle is this channel.
    Later(usize),
}

impl Connections {
    pub(super) fn bind(&mut self, name: &str, socket: Way) {
        self.bound.insert(name.to_owned(), socket);
    }

    /// Nobody is found by this name any more.
    pub(super) fn unlink(&mut self, name: &str) {
        self.bound.remove(name);
    }

    pub(super) fn behind(&self, name: &str) -> Option<Way> {
        self.bound.get(name).copied()
    }

    /// `ahead`: the channels that the listening socket's further accepts make, in their order.
    pub(super) fn connect(&mut self, socket: Way, listener: usize, ahead: &[usize]) -> Option<Peer> {
        let queue = self.queues.entry(listener).or_default();
        queue.connected.push(socket);
        let place = queue.connected.len() - 1;
        let Some(later) = place.checked_sub(queue.accepted.len()) else {
            return queue.accepted.get(place).copied().map(Peer::Accepted);
        };
        let channel = ahead.get(later).copied()?;
        self.embryos.insert(channel, listener);
        Some(Peer::Later(channel))
    }

    /// Whose connection was accepted, if that is known yet.
    pub(super) fn accept(&mut self, socket: Way, listener: usize) -> Option<Way> {
        socket.inbox.and_then(|channel| self.embryos.remove(&channel));
        let queue = self.queues.entry(listener).or_default();
        queue.accepted.push(socket);
        queue.connected.get(queue.accepted.len() - 1).copied()
    }

    /// The listening socket that keeps a channel until it is accepted.
    pub(super) fn kept_by(&self, channel: usize) -> Option<usize> {
        self.embryos.get(&channel).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(number: usize) -> Way {
        Way { number, inbox: Some(number), target: None }
    }

    #[test]
    fn connections_and_accepts_are_paired_in_their_order() {
        let mut connections = Connections::default();
        assert_eq!(connections.connect(socket(1), 7, &[11, 12]), Some(Peer::Later(11)));
        assert_eq!(connections.connect(socket(2), 7, &[11, 12]), Some(Peer::Later(12)));
        assert_eq!(connections.connect(socket(3), 7, &[11, 12]), None);
        assert_eq!(connections.kept_by(11), Some(7));
        assert_eq!(connections.accept(socket(11), 7), Some(socket(1)));
        assert_eq!(connections.kept_by(11), None);
        assert_eq!(connections.connect(socket(4), 7, &[12, 13, 14]), Some(Peer::Later(14)));
    }

    #[test]
    fn an_accept_may_be_heard_before_the_connection_that_released_it() {
        let mut connections = Connections::default();
        assert_eq!(connections.accept(socket(11), 7), None);
        assert_eq!(connections.connect(socket(1), 7, &[12]), Some(Peer::Accepted(socket(11))));
        assert_eq!(connections.connect(socket(2), 7, &[12]), Some(Peer::Later(12)));
    }

    #[test]
    fn a_name_leads_to_who_was_bound_to_it_last() {
        let mut connections = Connections::default();
        connections.bind("log", socket(1));
        connections.unlink("log");
        assert_eq!(connections.behind("log"), None);
        connections.bind("log", socket(2));
        assert_eq!(connections.behind("log"), Some(socket(2)));
    }
}
