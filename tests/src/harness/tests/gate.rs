//! The exploration visits every order, once, and finds what hides in one of them.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use futures_util::FutureExt;
use futures_util::future::{Either, select};
use postern_cli::engines::{BUCKET, Engines, TABLE};

use super::super::explore::{Visited, explore, walk};
use super::super::wire::Wire;
use super::{exists, put, text};

/// Appends its name to one row, `calls` times: the row tells the order in which the calls came.
async fn sign(table: &Client, name: &str, calls: usize) {
    for _ in 0..calls {
        let update = table.update_item().table_name(TABLE).key("pk", text("TICKET#1")).key("sk", text("TICKET"));
        let update = update.update_expression("SET signed = list_append(if_not_exists(signed, :none), :name)");
        let update = update.expression_attribute_values(":none", AttributeValue::L(Vec::new()));
        update.expression_attribute_values(":name", AttributeValue::L(vec![text(name)])).send().await.unwrap();
    }
}

async fn signatures(table: &Client) -> String {
    let get = table.get_item().table_name(TABLE).key("pk", text("TICKET#1")).key("sk", text("TICKET"));
    let row = get.send().await.unwrap().item.unwrap();
    row["signed"].as_l().unwrap().iter().map(|name| name.as_s().unwrap().as_str()).collect()
}

#[tokio::test]
async fn two_actors_of_two_and_three_calls_have_ten_interleavings() {
    let mut orders = BTreeSet::new();
    let visited = explore(100, async |race| {
        let engines = Engines::start(None).await.unwrap();
        let (left, right) = (race.wire().clients(&engines).0, race.wire().clients(&engines).0);
        race.run([sign(&left, "l", 2).boxed(), sign(&right, "r", 3).boxed()]).await;
        let order = signatures(&engines.clients(None).0).await;
        assert!(orders.insert(order.clone()), "{order} twice");
    })
    .await;
    assert_eq!(visited, Visited { interleavings: 10, complete: true });
    assert!(orders.contains("llrrr") && orders.contains("rrrll") && orders.contains("rlrlr"), "{orders:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joined_calls_and_calls_to_s3_in_between_repeat_exactly() {
    async fn actor(wire: &Wire, engines: &Engines, name: &str) {
        let (table, objects) = wire.clients(engines);
        let object = |key: &str| {
            let body = ByteStream::from(vec![7; 100_000]);
            objects.put_object().bucket(BUCKET).key(format!("raw/{name}/{key}")).body(body).send()
        };
        object("1").await.unwrap();
        tokio::join!(sign(&table, name, 1), sign(&table, name, 1), async { object("2").await.unwrap() });
        object("3").await.unwrap();
        sign(&table, name, 1).await;
    }
    let visited = explore(100, async |race| {
        let engines = Engines::start(None).await.unwrap();
        let (left, right) = (race.wire(), race.wire());
        race.run([actor(&left, &engines, "l"), actor(&right, &engines, "r")]).await;
        assert_eq!((left.count(), left.depth()), (6, 4));
        assert_eq!(signatures(&engines.clients(None).0).await.len(), 6);
    })
    .await;
    assert_eq!(visited, Visited { interleavings: 20, complete: true });
}

/// Reads and writes back without a condition: right when alone, wrong in some order.
async fn careless_count(table: &Client) {
    let get = table.get_item().table_name(TABLE).key("pk", text("ORDINAL")).key("sk", text("TICKET"));
    let seen = get.send().await.unwrap().item.and_then(|row| row["n"].as_n().unwrap().parse::<u32>().ok());
    let next = AttributeValue::N((seen.unwrap_or_default() + 1).to_string());
    put(table, "ORDINAL").item("n", next).send().await.unwrap();
}

#[tokio::test]
async fn a_lost_update_is_found_in_the_orders_that_lose_it() {
    let mut counts = Vec::new();
    let visited = explore(100, async |race| {
        let engines = Engines::start(None).await.unwrap();
        let (left, right) = (race.wire().clients(&engines).0, race.wire().clients(&engines).0);
        race.run([careless_count(&left), careless_count(&right)]).await;
        let (table, _) = engines.clients(None);
        let get = table.get_item().table_name(TABLE).key("pk", text("ORDINAL")).key("sk", text("TICKET"));
        counts.push(get.send().await.unwrap().item.unwrap()["n"].as_n().unwrap().clone());
    })
    .await;
    assert_eq!(visited, Visited { interleavings: 6, complete: true });
    counts.sort();
    assert_eq!(counts, ["1", "1", "1", "1", "2", "2"], "only one after the other counts both");
}

#[tokio::test]
async fn the_number_of_calls_may_depend_on_the_order() {
    let visited = explore(100, async |race| {
        let engines = Engines::start(None).await.unwrap();
        let (left, right) = (race.wire().clients(&engines).0, race.wire().clients(&engines).0);
        let first_come = async |table: Client| {
            let claim = put(&table, "TICKET#1").condition_expression("attribute_not_exists(pk)").send().await;
            if claim.is_err() {
                assert!(exists(&table, "TICKET#1").await);
            }
            claim.is_ok()
        };
        let won = race.run([first_come(left), first_come(right)]).await;
        assert_eq!(won.iter().filter(|won| **won).count(), 1);
    })
    .await;
    // Whoever loses reads once more; its read has nobody left to race with.
    assert_eq!(visited, Visited { interleavings: 2, complete: true });
}

#[tokio::test]
async fn the_cap_ends_an_exploration_and_says_so() {
    let visited = explore(4, async |race| {
        let engines = Engines::start(None).await.unwrap();
        let (left, right) = (race.wire().clients(&engines).0, race.wire().clients(&engines).0);
        race.run([sign(&left, "l", 3), sign(&right, "r", 3)]).await;
    })
    .await;
    assert_eq!(visited, Visited { interleavings: 4, complete: false });
}

#[tokio::test]
async fn a_walk_repeats_with_its_seed() {
    let mut walks = Vec::new();
    for seed in [1, 1, 50] {
        let mut orders = Vec::new();
        walk(seed, 4, async |race| {
            let engines = Engines::start(None).await.unwrap();
            let tables = ["a", "b", "c"].map(|name| (name, race.wire().clients(&engines).0));
            race.run(tables.iter().map(|(name, table)| sign(table, name, 2))).await;
            orders.push(signatures(&engines.clients(None).0).await);
        })
        .await;
        walks.push(orders);
    }
    assert_eq!(walks[0], walks[1]);
    assert_ne!(walks[0], walks[2]);
}

#[tokio::test]
async fn a_cancelled_call_leaves_its_gate() {
    let visited = explore(100, async |race| {
        let engines = Engines::start(None).await.unwrap();
        let (left, right) = (race.wire().clients(&engines).0, race.wire().clients(&engines).0);
        let impatient = async {
            // Polled until it stands at the gate, then given up: `select` drops nothing, so this does.
            let call = Box::pin(sign(&left, "never", 1));
            let tired = Box::pin(async {
                for _ in 0..5 {
                    tokio::task::yield_now().await;
                }
            });
            let given_up = select(call, tired).await;
            assert!(matches!(given_up, Either::Right(_)));
            drop(given_up);
            sign(&left, "l", 1).await;
        };
        race.run([impatient.boxed_local(), sign(&right, "r", 1).boxed_local()]).await;
        assert_eq!(signatures(&engines.clients(None).0).await.len(), 2);
    })
    .await;
    assert_eq!(visited, Visited { interleavings: 2, complete: true });
}

#[tokio::test]
async fn a_run_that_does_not_repeat_is_refused() {
    let mut runs = 0;
    let explored = AssertUnwindSafe(explore(100, async |race| {
        runs += 1;
        let engines = Engines::start(None).await.unwrap();
        let (left, right) = (race.wire().clients(&engines).0, race.wire().clients(&engines).0);
        let pk = format!("RUN{runs}#1");
        let actor = async |table: Client| put(&table, &pk).send().await.unwrap();
        race.run([actor(left), actor(right)]).await;
    }));
    assert!(explored.catch_unwind().await.is_err());
}
