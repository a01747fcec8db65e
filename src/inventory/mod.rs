//! The inventory.
