//! Which component needs which store for its `secretKeyRef`s, and in what order they can start.
//!
//! A component names one store, `auth.secretStore`, for all of its references. So there is at most one
//! way on from each, and a cycle is a ring.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::component::{Component, Plan};
use super::problem::Report;
use super::skipped::Skipped;
use super::suggest::did_you_mean_or_known;

/// Finds the store that each component refers to. A component whose store is not there, or that needs
/// itself by way of others, is reported, and nothing is made of it.
pub(super) fn link(components: &mut [Component], skipped: &[Skipped], report: &mut Report) {
    let by_name: HashMap<String, usize> = components
        .iter()
        .enumerate()
        .map(|(index, component)| (component.name.as_str().to_owned(), index))
        .collect();
    for index in 0..components.len() {
        let component = &components[index];
        if !component.refers() {
            continue;
        }
        let mut own = Report::new(report.is_lenient);
        let needs = needed(component, components, &by_name, skipped, &mut own);
        own.pass_to(report, component.ignores_errors);
        let component = &mut components[index];
        component.needs = needs;
        if needs.is_none() {
            component.plan = Plan::Nothing;
        }
    }
    for ring in rings(components) {
        report_ring(&ring, components, report);
        for index in ring {
            components[index].needs = None;
            components[index].plan = Plan::Nothing;
        }
    }
}

/// The components in waves: each needs nothing but what is in an earlier one.
pub(super) fn waves(components: &[Component]) -> Vec<Vec<usize>> {
    let mut needed_by: HashMap<usize, Vec<usize>> = HashMap::new();
    let mut wave = Vec::new();
    for (index, component) in components.iter().enumerate() {
        match component.needs {
            None => wave.push(index),
            Some(needs) => needed_by.entry(needs).or_default().push(index),
        }
    }
    let mut waves = Vec::new();
    while !wave.is_empty() {
        let mut next: Vec<usize> = wave
            .iter()
            .flat_map(|index| needed_by.remove(index).unwrap_or_default())
            .collect();
        next.sort_unstable();
        waves.push(std::mem::replace(&mut wave, next));
    }
    waves
}

fn needed(
    component: &Component,
    components: &[Component],
    by_name: &HashMap<String, usize>,
    skipped: &[Skipped],
    report: &mut Report,
) -> Option<usize> {
    let name = component.name.as_str();
    let Some((store, line)) = &component.secret_store else {
        let first = component.items.iter().find_map(|item| item.reference());
        report.strict(
            &component.place_of(first.map(|reference| reference.line)),
            format!(
                "component {name:?} has a secretKeyRef and no auth.secretStore: add `auth: {{secretStore: NAME}}` with the name of a secret store; only Kubernetes mode has a default, and this version does not have that mode"
            ),
        );
        return None;
    };
    if store.is_empty() {
        return None;
    }
    let place = component.place.line(*line);
    let start = format!("component {name:?}: auth.secretStore names {store:?}, which is");
    match by_name.get(store) {
        Some(index) if components[*index].is_store() => return Some(*index),
        Some(index) => report.strict(
            &place,
            format!(
                "{start} of the type {:?}: name a secret store",
                components[*index].component_type
            ),
        ),
        None => match skipped.iter().find(|other| other.name() == store) {
            Some(other) => report.strict(&place, format!("{start} for {}", other.meant_for())),
            None => {
                let stores = components.iter().filter(|other| other.is_store());
                let known: Vec<_> = stores.map(|store| store.name.as_str()).collect();
                let suggestion = did_you_mean_or_known(store, &known);
                report.strict(&place, format!("{start} no secret store here{suggestion}"));
            }
        },
    }
    None
}

/// The components that need themselves, ring by ring, each from its first component on.
fn rings(components: &[Component]) -> Vec<Vec<usize>> {
    let mut rings = Vec::new();
    // In which walk each was come by; 0: in none.
    let mut walks = vec![0; components.len()];
    for start in 0..components.len() {
        let walk = start + 1;
        let mut at = Some(start);
        while let Some(index) = at.filter(|index| walks[*index] == 0) {
            walks[index] = walk;
            at = components[index].needs;
        }
        // Where this very walk has been before there is a ring.
        if let Some(first) = at.filter(|index| walks[*index] == walk) {
            let onwards = |index: &usize| components[*index].needs.filter(|next| *next != first);
            let mut ring: Vec<usize> = std::iter::successors(Some(first), onwards).collect();
            let least = ring.iter().enumerate().min_by_key(|(_, index)| **index);
            let start = least.map_or(0, |(place, _)| place);
            ring.rotate_left(start);
            rings.push(ring);
        }
    }
    rings
}

fn report_ring(ring: &[usize], components: &[Component], report: &mut Report) {
    let members: Vec<_> = ring.iter().map(|index| &components[*index]).collect();
    let Some((first, others)) = members.split_first() else {
        return;
    };
    let mut message = if others.is_empty() {
        format!(
            "component {:?} ({}) needs itself for its secretKeyRefs",
            first.name.as_str(),
            first.place
        )
    } else {
        let mut message = format!(
            "component {:?} ({}) needs ",
            first.name.as_str(),
            first.place
        );
        for other in others {
            let _ = write!(
                message,
                "{:?} ({}), which needs ",
                other.name.as_str(),
                other.place
            );
        }
        let _ = write!(message, "{:?}", first.name.as_str());
        message
    };
    message.push_str(": a cycle cannot start; write one of the values without secretKeyRef, or name another auth.secretStore");
    let mut own = Report::new(report.is_lenient);
    own.strict(&first.place, message);
    own.pass_to(report, members.iter().all(|member| member.ignores_errors));
}
