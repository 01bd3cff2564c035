//! What a case keeps from the one before it must be what it would be by itself.

use std::sync::Arc;

use super::{SYMBOLS, catalog, parse};
use crate::scenario::{Cases, Overrides};

/// Parameters made of parameters, in drivers,
/// buffers, settings, expectations, and alone in a line that may be no step.
const TANGLED: &str = r#"
[params]
n = [1, "page+1", "2*m"]
m = [2, 3]
n1 = ["n+1", 7]
head = ["n", "n1"]
writer = ["stdio", "python@all:text,buffer=m*page", "raw"]
ending = ["", "w close log", "w exit 3"]
sigpipe = ["ignore", "runtime"]
[channels]
log = "fifo"
[actors]
r = "raw"
w = "{writer}"
[setting]
sigpipe = "{sigpipe}"
script = '''
r open log both
w open log write
w write log {head}
w write log {n}             -> ok n or EPIPE
{ending}
'''
[expect]
offered = "n + n1"
"#;

/// Names of parameters joined of two parts.
const JOINED: &str = r#"
[params]
size = [1, 2]
p = ["pag", "siz"]
driver = ["raw", "stdio"]
[channels]
log = "fifo"
[actors]
r = "{driver}"
w = "stdio:full,buffer={p}e"
[setting]
limits.fsize = "{p}e"
script = """
r open log both
w open log write
w write log {size}
"""
"#;

/// A size that no runtime tells, in one count by itself and in another through a parameter.
const UNTOLD: &str = r#"
[params]
first = ["n", "5"]
n = "w.chunk"
[channels]
log = "fifo"
[actors]
r = "raw"
w = "python@3.8:text"
script = """
r open log both
w open log write
"""
[expect]
accepted = "first"
delivered = "n"
"#;

fn cases(text: &str) -> Cases {
    let scenario = Arc::new(parse(text).unwrap_or_else(|problems| panic!("{problems}")));
    let mut catalog = catalog();
    if text == UNTOLD {
        for runtime in &mut catalog.runtimes {
            runtime.symbols.remove("chunk");
        }
    }
    let cases = scenario.cases(&SYMBOLS, &Arc::new(catalog), &Overrides::default());
    cases.unwrap_or_else(|problems| panic!("{problems}"))
}

#[rstest::rstest]
#[case::tangled(TANGLED, 201)]
#[case::joined(JOINED, 8)]
#[case::untold(UNTOLD, 1)]
fn a_case_is_the_same_whatever_was_made_before_it(#[case] text: &str, #[case] least: usize) {
    let cases = cases(text);
    assert!(cases.len() >= least, "{} cases", cases.len());
    let alone: Vec<String> =
        (0..cases.len()).map(|index| format!("{:?}", cases.maker().case(index))).collect();
    let mut maker = cases.maker();
    for (index, case) in cases.iter().enumerate() {
        assert_eq!(format!("{case:?}"), alone[index]);
    }
    // In strides, so that all parameters change at once.
    for step in 0..cases.len() {
        let index = step * 101 % cases.len();
        assert_eq!(format!("{:?}", maker.case(index)), alone[index]);
    }
}
