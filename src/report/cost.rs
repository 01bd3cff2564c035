//! What a run cost.

use std::{
    fmt,
    time::{Duration, Instant},
};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeVal,
};

/// Time that passed, and time that CPUs spent on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    pub wall: Duration,
    /// Of this process and of all processes below it that have ended and were waited for
    /// (getrusage(2)): of all stages and actors, once the lab is gone.
    pub cpu: Duration,
}

impl Cost {
    /// From `started`, when this process had used next to no CPU, until now.
    pub fn since(started: Instant) -> Cost {
        let of = |who| {
            getrusage(who).map_or(Duration::ZERO, |usage| time(usage.user_time()) + time(usage.system_time()))
        };
        let cpu = of(UsageWho::RUSAGE_SELF) + of(UsageWho::RUSAGE_CHILDREN);
        Cost { wall: started.elapsed(), cpu }
    }
}

fn time(value: TimeVal) -> Duration {
    let micros = value.tv_sec() * 1_000_000 + value.tv_usec();
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

impl fmt::Display for Cost {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Two digits where one would be 0.
        let seconds = |time: Duration| {
            let digits = if time < Duration::from_millis(100) { 2 } else { 1 };
            format!("{:.digits$} s", time.as_secs_f64())
        };
        write!(out, "{} of wall time, {} of CPU", seconds(self.wall), seconds(self.cpu))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_reads_as_seconds() {
        let cost = |wall, cpu| {
            Cost { wall: Duration::from_millis(wall), cpu: Duration::from_millis(cpu) }.to_string()
        };
        assert_eq!(cost(432, 1049), "0.4 s of wall time, 1.0 s of CPU");
        assert_eq!(cost(99, 7), "0.10 s of wall time, 0.01 s of CPU");
        assert_eq!(cost(123_456, 4), "123.5 s of wall time, 0.00 s of CPU");
    }

    #[test]
    fn the_cpu_of_children_counts_once_they_have_ended() {
        let started = Instant::now();
        let before = Cost::since(started);
        let mut child = std::process::Command::new("sh");
        let status = child.args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"]).status();
        assert!(status.expect("sh").success());
        let after = Cost::since(started);
        assert!(after.cpu > before.cpu + Duration::from_millis(10), "{before:?} {after:?}");
        assert!(after.wall > before.wall);
    }
}
