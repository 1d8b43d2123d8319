//! Tables in Markdown that also read well in a terminal.

/// The rows under the headings, every column as wide as its widest cell. Columns of numbers are set to the right.
#[must_use]
pub fn markdown(headings: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .chain([headings[column].chars().count(), 3])
            .max()
            .unwrap_or_default()
    };
    let numeric = |column: usize| {
        !rows.is_empty()
            && rows
                .iter()
                .filter_map(|row| row.get(column))
                .all(|cell| cell.starts_with(|first: char| first.is_ascii_digit() || first == '-'))
    };
    let columns: Vec<(usize, bool)> = (0..headings.len())
        .map(|column| (width(column), numeric(column)))
        .collect();

    let mut text = line(&columns, headings);
    text.push('|');
    for (width, right) in &columns {
        text.push(' ');
        text.push_str(&"-".repeat(width - usize::from(*right)));
        text.push_str(if *right { ": |" } else { " |" });
    }
    text.push('\n');
    for row in rows {
        text.push_str(&line(&columns, row));
    }
    text
}

fn line(columns: &[(usize, bool)], cells: &[impl AsRef<str>]) -> String {
    let mut text = String::from("|");
    for ((width, right), cell) in columns.iter().zip(cells) {
        let cell = cell.as_ref();
        text.push_str(&if *right {
            format!(" {cell:>width$} |")
        } else {
            format!(" {cell:<width$} |")
        });
    }
    text.push('\n');
    text
}

/// A number with its thousands set apart: `1,300`.
#[must_use]
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    if number < 0 {
        text.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_numbers_stand_to_the_right() {
        let rows = [
            vec!["accept".to_owned(), "436".to_owned()],
            vec!["a".to_owned(), "1,290".to_owned()],
        ];
        assert_eq!(
            markdown(&["case", "count"], &rows),
            "| case   | count |\n\
             | ------ | ----: |\n\
             | accept |   436 |\n\
             | a      | 1,290 |\n"
        );
    }

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (-1_234_567, "-1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
