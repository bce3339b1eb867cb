//! End-to-end tests: the real binary on real files and a real database.

mod backup_rotate;
mod bad_files;
mod bad_usage;
mod check;
mod crashes;
mod deploy_check;
mod init;
mod interrupted;
mod support;
