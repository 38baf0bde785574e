//! Versions of a policy, and what they find together.
