//! Every known way around a check like ours, tried on the layer alone and through real servers with raw bytes.
//!
//! `table` says what each request must come to; its rows are in `targets` and `headers`. Three drivers send it: `alone`
//! builds an `http::Request`, `http1` and `http2` write bytes to a socket behind which hyper and the layer stand. Each row
//! goes through every setup of `setups`, so through every arm of the inbound flow that is compiled in, and each time the
//! inner service tells whether it was reached, and by what. What one protocol alone can say is in `http1_rows` and
//! `http2_rows`.

mod alone;
mod frames;
mod guarded;
mod headers;
mod http1;
mod http1_rows;
mod http2;
mod http2_rows;
mod setups;
mod table;
mod targets;

use setups::setups;
use table::{Row, table};

#[tokio::test]
async fn e1_e2_e3_e4_e5_e7_x1_x2_x5_the_table_of_bypasses_on_the_layer_alone() {
    let setups = setups().await;
    for row in table() {
        for setup in &setups {
            let wire = alone::send(setup, &row).await;
            setup.check(row.name, row.alone, &wire);
        }
    }
}

#[tokio::test]
async fn e1_e2_e3_e4_e5_e7_x1_x2_x5_the_table_of_bypasses_over_http1() {
    let setups = setups().await;
    for row in table() {
        for setup in &setups {
            let wire = http1::send(setup, &row).await;
            setup.check(row.name, row.http1, &wire);
        }
    }
}

#[tokio::test]
async fn e1_e2_e3_e4_e5_e7_e8_x1_x2_x5_the_table_of_bypasses_over_http2() {
    let setups = setups().await;
    for row in table() {
        for setup in &setups {
            let wire = http2::send(setup, &row).await;
            setup.check(row.name, row.http2, &wire);
        }
    }
}

#[tokio::test]
async fn e1_e3_x1_odd_heads_over_http1() {
    let setups = setups().await;
    for (name, head, expected) in http1_rows::odd_heads() {
        for setup in &setups {
            let wire = http1::exchange(setup, head.as_bytes()).await;
            setup.check(name, expected, &wire);
        }
    }
}

#[tokio::test]
async fn e1_e2_x1_odd_fields_over_http2() {
    let setups = setups().await;
    for (name, fields, expected) in http2_rows::odd_fields() {
        for setup in &setups {
            let wire = http2::one(setup, &fields).await;
            setup.check(name, expected, &wire);
        }
    }
}

#[tokio::test]
async fn e1_x1_j5_a_request_behind_another_is_judged_by_itself_over_http1() {
    let setups = setups().await;
    for row in http1_rows::sequences() {
        for setup in &setups {
            let wire = http1::exchange(setup, row.bytes.as_bytes()).await;
            setup.check_sequence(row.name, &wire, row.statuses, row.arrivals);
        }
    }
}

#[tokio::test]
async fn e1_x1_j5_a_request_behind_another_is_judged_by_itself_over_http2() {
    let setups = setups().await;
    for row in http2_rows::sequences() {
        for setup in &setups {
            let wire = http2::exchange(setup, &row.bytes, row.streams).await;
            setup.check_sequence(row.name, &wire, row.statuses, row.arrivals);
        }
    }
}

#[test]
fn e1_x1_each_row_has_a_name_of_its_own_and_a_reason_where_it_is_not_sent() {
    let rows = table();
    for (i, row) in rows.iter().enumerate() {
        let Row { name, .. } = row;
        assert!(
            rows[..i].iter().all(|other| other.name != *name),
            "{name}: twice"
        );
        for expected in [row.alone, row.http1, row.http2] {
            if let table::Expected::CannotSay(reason) = expected {
                assert!(reason.contains(' '), "{name}: no reason");
            }
        }
    }
}

#[test]
fn e2_x5_what_comes_to_something_else_in_a_setup_is_a_row() {
    let mut rows: Vec<&str> = table().iter().map(|row| row.name).collect();
    rows.extend(http1_rows::odd_heads().iter().map(|(name, ..)| *name));
    rows.extend(http2_rows::odd_fields().iter().map(|(name, ..)| *name));
    let sequences: Vec<&str> = http1_rows::sequences()
        .iter()
        .map(|row| row.name)
        .chain(http2_rows::sequences().iter().map(|row| row.name))
        .collect();
    for (name, _) in setups::ANY_VALID.iter().chain(setups::PREFLIGHTS) {
        assert_eq!(rows.iter().filter(|row| *row == name).count(), 1, "{name}");
    }
    for (name, ..) in setups::ANY_VALID_SEQUENCES {
        assert_eq!(
            sequences.iter().filter(|row| *row == name).count(),
            1,
            "{name}"
        );
    }
}
