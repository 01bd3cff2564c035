//! Open orders: `together`, `orders`, `[expect.some]`.

use rstest::rstest;

use super::{mistakes::assert_mistake, *};

fn script(body: &str) -> String {
    with_script("raw", &format!("r open log read\nw open log write\n{body}"))
}

/// The body's first line is the file's line 11.
#[rstest]
#[case("together\nend", "an empty block", (11, 1), "write steps of several actors between `together` and `end`")]
#[case("together\nw write log 1\nw write log 2\nend", "a block of `w` alone", (11, 1), "put steps of other actors beside them, or leave `together` and `end` out")]
#[case("together\nw write log 1\ntogether\nr read log 1\nend\nend", "a block in a block", (13, 1), "all steps of a block are in any order already: leave the inner `together` and `end` out")]
#[case("together\nw write log 1\nr read log 1", "a block without an end", (11, 1), "write `end`, alone in its line, behind the last step whose order is open")]
#[case("w write log 1\nend", "an `end` of nothing", (12, 1), "a block of steps in any order begins with `together`, alone in its line")]
#[case("together open log write", "no actor is called `together`", (11, 1), "`together` stands alone in its line")]
fn blocks_that_are_none(
    #[case] body: &str,
    #[case] message: &str,
    #[case] position: (usize, usize),
    #[case] help: &str,
) {
    assert_mistake(&script(body), message, position, help);
}

const MANY: &str = "together\nw write log 1\nw write log 1\nw write log 1\nw write log 1\nw write log 1\n\
                    w write log 1\nw write log 1\nr read log 1\nr read log 1\nr read log 1\nr read log 1\n\
                    r read log 1\nr read log 1\nr read log 1\nend";

#[test]
fn too_many_orders_unless_told() {
    let (problem, at) = mistake_of(&script(MANY));
    assert_eq!(problem.message, "3432 orders, and 1000 are played unless told");
    assert_eq!(at, (11, 1));
    let help = problem.help.expect("a way out");
    assert!(help.contains("`orders = 1000`") && help.contains("`--orders 1000`"), "{help}");
    for (orders, played) in [("orders = 3432\n", 3432), ("orders = 10\n", 10)] {
        let cases = cases_of(&format!("{orders}{}", script(MANY)));
        assert_eq!(cases[0].plays(), played);
    }
    let overrides = Overrides { orders: Some(7), ..Overrides::default() };
    assert_eq!(cases_with(&format!("orders = 10\n{}", script(MANY)), &overrides)[0].plays(), 7);
}

#[rstest]
#[case("0")]
#[case("-1")]
#[case("100001")]
fn no_number_of_orders(#[case] number: &str) {
    let text = format!("orders = {number}\n{}", script("w write log 1"));
    assert_mistake(&text, "no number of orders", (1, 10), "between 1 and 100000, such as `orders = 200`");
}

#[test]
fn what_makes_an_actor_stands_above_its_steps() {
    let text = "[channels]\nlog = \"pipe\"\n[actors]\na = \"raw\"\nb = \"raw:fork\"\nscript = '''\n\
                a open log both\ntogether\na fork b\nb write log 1\nend\n'''\n";
    assert_mistake(
        text,
        "`b` isn't there in some of these orders",
        (10, 1),
        "put the step that makes it above the block",
    );
}

#[test]
fn some_order_where_there_is_one() {
    assert_mistake(
        &format!("{}[expect.some]\nlost = 0\n", script("w write log 1")),
        "`[expect.some]` where there is only one order",
        (13, 1),
        "put steps between `together` and `end`, or say it in [expect]",
    );
}

#[test]
fn a_channel_that_is_called_some() {
    let text = script("together\nw write log 1\nr read log 1\nend").replace("log", "some");
    assert_mistake(
        &format!("{text}[expect.some]\nlost = 0\n"),
        "a channel that is called `some`",
        (16, 9),
        "give the channel another name",
    );
}

/// The number of orders is that of each case's own lines.
#[test]
fn each_case_has_its_own_orders() {
    let body = "together\nw write log 1\nr read log 1\nw write log {n} when n > 1\nend";
    let cases = cases_of(&format!("[params]\nn = [1, 2]\n{}", script(body)));
    assert_eq!(cases.iter().map(Case::plays).collect::<Vec<_>>(), [2, 3]);
    let orders: Vec<Vec<usize>> = cases[1].in_all_orders().map(|case| case.plan.order.steps).collect();
    assert_eq!(orders, [[0, 1, 2, 3, 4], [0, 1, 2, 4, 3], [0, 1, 3, 2, 4]]);
    assert_eq!(cases[1].plan.order.together, vec![std::ops::Range { start: 2, end: 5 }]);
}

/// `[expect.some]` may stand several times, and mean a channel.
#[test]
fn tables_of_some() {
    let body = "together\nw write log 1\nr read log 1\nend";
    let text = format!(
        "{}[[expect.some]]\ntorn = 0\nend = \"stuck\"\n[[expect.some]]\n[expect.some.log]\nlost = \"> 0\"\n",
        script(body)
    );
    let expect = cases_of(&text)[0].expect.clone();
    assert_eq!(expect.some.iter().map(|some| some.bytes.len()).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(expect.some.iter().map(|some| some.line).collect::<Vec<_>>(), [16, 19]);
    assert!(expect.may_be_stuck());
}
