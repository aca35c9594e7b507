//! The template as CloudFormation reads it: YAML with its short tags, turned into the long form in JSON.

use std::collections::BTreeSet;

use saphyr::{LoadableYamlNode as _, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// Where a file of the repository is.
pub(super) fn path(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// A file of the repository.
pub(super) fn file(name: &str) -> String {
    let path = path(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The template.
#[derive(Clone)]
pub(super) struct Stack(pub(super) Value);

impl Stack {
    pub(super) fn read() -> Self {
        Self::of(&file("template.yaml"))
    }

    /// Of a template's text.
    pub(super) fn of(text: &str) -> Self {
        let documents = Yaml::load_from_str(text).unwrap();
        assert_eq!(documents.len(), 1, "one document");
        Self(long_form(&documents[0]))
    }

    /// What stands at a JSON pointer; null where nothing does.
    pub(super) fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// A resource's properties.
    pub(super) fn properties(&self, resource: &str) -> &Value {
        self.at(&format!("/Resources/{resource}/Properties"))
    }

    /// The names of all resources of a type.
    pub(super) fn of_type(&self, kind: &str) -> Vec<&str> {
        let resources = entries(self.at("/Resources"));
        resources.filter(|(_, resource)| resource["Type"] == kind).map(|(name, _)| name).collect()
    }

    /// What each resource refers to, itself or by DependsOn. SAM makes a function's events resources of their own.
    pub(super) fn dependencies(&self, resource: &str) -> BTreeSet<String> {
        let mut definition = self.at(&format!("/Resources/{resource}")).clone();
        if let Some(Value::Object(properties)) = definition.get_mut("Properties") {
            properties.remove("Events");
        }
        let mut found = BTreeSet::new();
        references(&definition, &mut found);
        found.extend(list(&definition["DependsOn"]).iter().filter_map(|name| name.as_str()).map(str::to_owned));
        found.retain(|name| !self.at(&format!("/Resources/{name}")).is_null());
        found
    }

    /// The statements of a policy document, those under `Fn::If` too.
    pub(super) fn statements(document: &Value) -> Vec<&Value> {
        Self::conditional(document).into_iter().map(|(_, statement)| statement).collect()
    }

    /// The same, each with the condition that it stands under.
    pub(super) fn conditional(document: &Value) -> Vec<(Option<&str>, &Value)> {
        let branches = |statement| match Self::branches(statement) {
            Some((condition, both)) => both.map(|branch| (Some(condition), branch)).to_vec(),
            None => vec![(None, statement)],
        };
        let all = list(&document["Statement"]).into_iter().flat_map(branches);
        all.filter(|(_, statement)| statement.get("Effect").is_some()).collect()
    }

    /// Condition and both branches of an `Fn::If`.
    pub(super) fn branches(value: &Value) -> Option<(&str, [&Value; 2])> {
        match value["Fn::If"].as_array()?.as_slice() {
            [condition, yes, no] => Some((condition.as_str()?, [yes, no])),
            _ => None,
        }
    }

    /// Role, condition and statement of every right that a role has.
    pub(super) fn rights(&self) -> Vec<(&str, Option<&str>, &Value)> {
        let mut rights = Vec::new();
        for role in self.of_type("AWS::IAM::Role") {
            for policy in list(&self.properties(role)["Policies"]) {
                let all = Self::conditional(&policy["PolicyDocument"]);
                rights.extend(all.into_iter().map(|(condition, statement)| (role, condition, statement)));
            }
        }
        rights
    }
}

/// Key and value of each member of an object.
pub(super) fn entries(object: &Value) -> impl Iterator<Item = (&str, &Value)> {
    object.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// A list, or the one value that stands for it.
pub(super) fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values.iter().collect(),
        one => vec![one],
    }
}

/// A value as one comparable text: `Table.Arn` for `!GetAtt Table.Arn`, `Table` for `!Ref Table`, text as it stands.
pub(super) fn shown(value: &Value) -> String {
    if let Some(name) = value["Ref"].as_str() {
        return name.to_owned();
    }
    match (&value["Fn::GetAtt"], &value["Fn::Sub"]) {
        (Value::Array(path), _) => path.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("."),
        (_, Value::String(text)) => text.clone(),
        (_, Value::Array(parts)) => parts[0].as_str().unwrap_or_default().to_owned(),
        _ => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    }
}

/// The names that a value refers to.
pub(super) fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("Ref", Value::String(name)) => drop(found.insert(name.clone())),
                    ("Fn::GetAtt", Value::Array(path)) => found.extend(path[0].as_str().map(str::to_owned)),
                    ("Fn::Sub", Value::String(text)) => substituted(text, found),
                    ("Fn::Sub", Value::Array(parts)) => {
                        substituted(parts[0].as_str().unwrap_or_default(), found);
                        references(&parts[1], found);
                    }
                    _ => references(value, found),
                }
            }
        }
        _ => {}
    }
}

/// `${Table.Arn}` in a text refers to `Table`.
fn substituted(text: &str, found: &mut BTreeSet<String>) {
    let names = text.split("${").skip(1).filter_map(|rest| rest.split(['}', '.']).next());
    found.extend(names.map(str::to_owned));
}

fn long_form(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::FloatingPoint(number)) => json!(number.into_inner()),
        Yaml::Value(Scalar::Boolean(flag)) => json!(flag),
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Sequence(values) => values.iter().map(long_form).collect(),
        Yaml::Mapping(members) => {
            let mut object = Map::new();
            for (name, value) in members {
                let name = long_form(name);
                let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
                assert!(object.insert(name.clone(), long_form(value)).is_none(), "{name} stands twice");
            }
            Value::Object(object)
        }
        Yaml::Tagged(tag, node) => {
            let value = long_form(node);
            match tag.suffix.as_str() {
                "Ref" | "Condition" => json!({ &tag.suffix: value }),
                "GetAtt" => {
                    let path = value.as_str().unwrap().split_once('.').unwrap();
                    json!({"Fn::GetAtt": [path.0, path.1]})
                }
                function => json!({ format!("Fn::{function}"): value }),
            }
        }
        other => panic!("{other:?} is not expected in a template"),
    }
}
