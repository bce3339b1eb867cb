//! End-to-end tests: the real binary on real files and a real database.

mod backup_rotate;
mod check;
mod crashes;
mod deploy_check;
mod init;
mod interrupted;
mod support;
