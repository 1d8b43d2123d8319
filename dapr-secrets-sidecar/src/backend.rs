//! [`Backend`]: what both APIs answer from, and the limits that they share.

use dapr_secrets_service::{Engine, Profile};

use crate::admission::Admission;
use crate::budget::AnswerBudget;

/// Clones share the stores and the limits.
#[derive(Debug, Clone)]
pub(crate) struct Backend {
    pub(crate) engine: Engine,
    pub(crate) profile: Profile,
    /// Empty without one.
    pub(crate) app_id: String,
    pub(crate) admission: Admission,
    pub(crate) budget: AnswerBudget,
}
