//! In a build that lacks a store, a component of its type names the feature that adds it.

use std::fs;

use dapr_secrets_service::config::Loader;

#[test]
fn s5_api_l_a_type_that_was_left_out_names_its_feature() {
    for (component_type, feature, is_built) in [
        ("secretstores.local.file", "file", cfg!(feature = "file")),
        ("secretstores.local.env", "env", cfg!(feature = "env")),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let text =
            format!("kind: Component\nmetadata: {{name: a}}\nspec: {{type: {component_type}}}\n");
        fs::write(folder.path().join("a.yaml"), text).expect("written");
        let loaded = Loader::new().add_resources_path(folder.path()).load();
        let said = loaded.map(|_| ()).map_err(|problems| problems.to_string());
        let names_feature = said.is_err_and(|said| {
            said.contains("a.yaml:3: ")
                && said.contains(&format!("Cargo feature `{feature}` is off"))
        });
        assert_eq!(names_feature, !is_built, "{component_type}");
    }
}
