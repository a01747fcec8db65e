//! What a person reads when something went wrong, and the exit status.

use super::{ImportError, InventoryError, replay::Unanswered};
use crate::report::{chain, say};
#[cfg(target_os = "linux")]
use crate::transparent::TransparentError;

/// The exit status of whatever has none of its own.
const FAILED: u8 = 1;

/// The exit status of an inventory that cannot be used.
const WRONG_INVENTORY: u8 = 3;

/// Tells a person what went wrong and what to do, and gives the exit status for it.
#[must_use]
pub fn failure(error: &anyhow::Error) -> u8 {
    let failed = chain(error.as_ref());
    let (hint, status) = cure(error);
    match hint {
        Some(hint) => say(&format!("{failed}\nhint: {hint}")),
        None => say(&failed),
    }
    status
}

fn cure(error: &anyhow::Error) -> (Option<String>, u8) {
    if let Some(inventory) = error.downcast_ref::<InventoryError>() {
        return (inventory.hint(), WRONG_INVENTORY);
    }
    if error.is::<ImportError>() {
        return (None, WRONG_INVENTORY);
    }
    if let Some(unanswered) = error.downcast_ref::<Unanswered>() {
        let status = if unanswered.is_wrong() {
            WRONG_INVENTORY
        } else {
            FAILED
        };
        return (unanswered.hint().map(str::to_owned), status);
    }
    #[cfg(target_os = "linux")]
    if let Some(transparent) = error.downcast_ref::<TransparentError>() {
        return (transparent.hint().map(Into::into), FAILED);
    }
    (None, FAILED)
}
