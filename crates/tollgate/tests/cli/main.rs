//! The real binary, driven as people and scripts drive it.

mod catalog;
mod configuration;
mod demo;
mod doctor;
mod folder;
mod gateway;
mod http;
mod keys;
mod serving;
mod shutdown;
mod usage;
