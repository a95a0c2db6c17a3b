//! Who this program is: name, version, commit, template.

/// What a build knows about itself; made by [`about!`](crate::about).
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Name of the package, which is the name of the service.
    pub name: &'static str,
    /// Version of the package.
    pub version: &'static str,
    /// Commit the build was made from, or `unknown`; set by the build script as `SMART_COMMIT`.
    pub commit: &'static str,
    /// Version of the template the repository follows; set by the build script as `SMART_TEMPLATE_VERSION`.
    pub template_version: Option<&'static str>,
}

/// Describes the calling package as an [`About`].
#[macro_export]
macro_rules! about {
    () => {
        $crate::About {
            name: ::core::env!("CARGO_PKG_NAME"),
            version: ::core::env!("CARGO_PKG_VERSION"),
            commit: match ::core::option_env!("SMART_COMMIT") {
                ::core::option::Option::Some(commit) => commit,
                ::core::option::Option::None => "unknown",
            },
            template_version: ::core::option_env!("SMART_TEMPLATE_VERSION"),
        }
    };
}
