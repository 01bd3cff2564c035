//! Expressions, held against another way to compute them.

use proptest::prelude::*;

use super::super::{expr::Expr, problem::Problem};

/// A tree that knows its own text and value.
#[derive(Clone, Debug)]
enum Tree {
    Number(u32),
    Suffixed(u16, &'static str, u32),
    Name(&'static str),
    Negate(Box<Tree>),
    Binary(Box<Tree>, char, Box<Tree>),
}

const NAMES: [(&str, i128); 3] = [("page", 4096), ("n", 3), ("w.buffer", 8192)];

impl Tree {
    /// Fully parenthesised unless `bare`: then only where precedence asks for it.
    fn text(&self, bare: bool) -> String {
        match self {
            Tree::Number(number) => number.to_string(),
            Tree::Suffixed(number, suffix, _) => format!("{number}{suffix}"),
            Tree::Name(name) => (*name).to_owned(),
            Tree::Negate(inner) => match **inner {
                Tree::Binary(..) => format!("-({})", inner.text(bare)),
                _ => format!("-{}", inner.text(bare)),
            },
            Tree::Binary(left, op, right) => {
                let side = |tree: &Tree, is_right: bool| {
                    let text = tree.text(bare);
                    let Tree::Binary(_, inner, _) = tree else { return text };
                    let weaker = rank(*inner) < rank(*op) || (is_right && rank(*inner) == rank(*op));
                    if weaker || !bare { format!("({text})") } else { text }
                };
                format!("{} {op} {}", side(left, false), side(right, true))
            }
        }
    }

    /// `None` for a division by zero or an overflow.
    fn value(&self) -> Option<i128> {
        match self {
            Tree::Number(number) => Some((*number).into()),
            Tree::Suffixed(number, _, factor) => Some(i128::from(*number) * i128::from(*factor)),
            Tree::Name(name) => NAMES.iter().find(|(known, _)| known == name).map(|(_, value)| *value),
            Tree::Negate(inner) => Some(-inner.value()?),
            Tree::Binary(left, op, right) => {
                let (left, right) = (left.value()?, right.value()?);
                match op {
                    '+' => left.checked_add(right),
                    '-' => left.checked_sub(right),
                    '*' => left.checked_mul(right),
                    '/' if right != 0 => left.checked_div(right),
                    '%' if right != 0 => left.checked_rem(right),
                    _ => None,
                }
            }
        }
    }
}

fn rank(op: char) -> u8 {
    if matches!(op, '+' | '-') { 1 } else { 2 }
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        any::<u32>().prop_map(Tree::Number),
        (0_u32..3).prop_map(Tree::Number),
        (any::<u16>(), prop::sample::select(vec![("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)]))
            .prop_map(|(number, (suffix, factor))| Tree::Suffixed(number, suffix, factor)),
        prop::sample::select(vec!["page", "n", "w.buffer"]).prop_map(Tree::Name),
    ];
    leaf.prop_recursive(5, 40, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|tree| Tree::Negate(Box::new(tree))),
            (inner.clone(), prop::sample::select(vec!['+', '-', '*', '/', '%']), inner)
                .prop_map(|(left, op, right)| Tree::Binary(Box::new(left), op, Box::new(right))),
        ]
    })
}

fn evaluate(text: &str) -> Result<Option<i128>, Problem> {
    let expr = Expr::parse(text, &|range| range)?;
    expr.value(&|name, span| match NAMES.iter().find(|(known, _)| *known == name) {
        Some((_, value)) => Ok(Some(*value)),
        None => Err(Problem::new("name", format!("no {name}")).at(span.clone(), "here")),
    })
}

proptest! {
    #![proptest_config(super::trials(1000))]

    #[test]
    fn a_printed_tree_has_the_trees_value(tree in trees(), bare in any::<bool>(), braces in any::<bool>()) {
        let text = tree.text(bare);
        prop_assume!(text.len() < 1000);
        let text = if braces { text.replace('(', "{").replace(')', "}") } else { text };
        match (evaluate(&text), tree.value()) {
            (Ok(Some(got)), Some(expected)) => prop_assert_eq!(got, expected, "{}", text),
            (Err(_), None) => {}
            (got, expected) => prop_assert!(false, "{text}: {got:?}, not {expected:?}"),
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[-+*/%(){}0-9a-zKiBM_. é]{0,40}") {
        if let Err(problem) = evaluate(&text) {
            prop_assert!(problem.labels.iter().all(|label| text.get(label.span.clone()).is_some()), "{problem:?}");
        }
    }
}

#[rstest::rstest]
#[case("", "an empty expression", 0..0)]
#[case("2*", "an unfinished expression", 1..2)]
#[case("2**3", "unexpected `*` in an expression", 2..3)]
#[case("(1+2", "an unfinished expression", 3..4)]
#[case("1)", "unexpected `)` in an expression", 1..2)]
#[case("8K", "unexpected `K` in an expression", 1..2)]
#[case("3 n", "unexpected `n` in an expression", 2..3)]
#[case("1 & 2", "`&` in an expression", 2..3)]
#[case("99999999999999999999999999999999999999999", "a number beyond 128 bits", 0..41)]
#[case("170141183460469231731687303715884105727+1", "a number beyond 128 bits", 0..41)]
#[case("170141183460469231731687303715884105727KiB", "a number beyond 128 bits", 0..42)]
#[case("4/(n-3)", "division by zero", 2..7)]
#[case("4%(3-n)", "division by zero", 2..7)]
fn mistakes_are_placed(#[case] text: &str, #[case] message: &str, #[case] span: std::ops::Range<usize>) {
    let problem = evaluate(text).unwrap_err();
    assert_eq!((problem.message.as_str(), problem.span()), (message, span));
}

#[test]
fn depth_and_length_are_bounded() {
    for text in ["(".repeat(900), "-".repeat(900), "1+".repeat(100_000), "1+".repeat(400) + "1"] {
        let _ = evaluate(&text);
    }
    assert_eq!(evaluate(&("1+".repeat(400) + "1")).unwrap(), Some(401));
    assert_eq!(evaluate(&"(".repeat(900)).unwrap_err().message, "parentheses nested too deep");
}

#[rstest::rstest]
#[case("8K", "did you mean `KiB`?")]
#[case("8kB", "did you mean `KiB`?")]
#[case("8Mib", "did you mean `MiB`?")]
#[case("8 newlin", "did you mean `newline`?")]
#[case("8 bananas", "a number may be followed by `KiB`, `MiB` and `GiB`")]
fn slips_have_a_way_out(#[case] text: &str, #[case] help: &str) {
    assert_eq!(evaluate(text).unwrap_err().help.as_deref(), Some(help));
}
