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

fn cases(text: &str) -> Cases {
    let scenario = Arc::new(parse(text).unwrap_or_else(|problems| panic!("{problems}")));
    let cases = scenario.cases(&SYMBOLS, &Arc::new(catalog()), &Overrides::default());
    cases.unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn a_case_is_the_same_whatever_was_made_before_it() {
    let cases = cases(TANGLED);
    assert!(cases.len() > 200, "{} cases", cases.len());
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
