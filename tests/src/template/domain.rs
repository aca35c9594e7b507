//! A name of the operator's before the HTTP door, and what CloudFormation asks before it makes anything.

use serde_json::{Value, json};

use super::stack::{Stack, entries, list, shown};

/// The name has a modern TLS, leads to the one API, gets a record where there is a zone, and stands in every URL.
pub(super) fn domain_leads_to_the_api(stack: &Stack) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |pointer: &str, wanted: Value| {
        let found = stack.at(pointer);
        if *found != wanted {
            faults.push(format!("{pointer} is {found}, not {wanted}"));
        }
    };
    let one = json!([{
        "CertificateArn": {"Ref": "CertificateArn"}, "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2"
    }]);
    expect("/Resources/Domain/Condition", json!("HasDomain"));
    expect(
        "/Resources/Domain/Properties",
        json!({"DomainName": {"Ref": "DomainName"}, "DomainNameConfigurations": one}),
    );
    let mapping = json!({"ApiId": {"Ref": "Api"}, "DomainName": {"Ref": "Domain"}, "Stage": {"Ref": "Api.Stage"}});
    expect("/Resources/DomainMapping/Condition", json!("HasDomain"));
    expect("/Resources/DomainMapping/Properties", mapping);
    let of_domain = |attribute: &str| json!({"Fn::GetAtt": ["Domain", attribute]});
    let alias = json!({"DNSName": of_domain("RegionalDomainName"), "HostedZoneId": of_domain("RegionalHostedZoneId")});
    expect("/Resources/DomainRecord/Condition", json!("HasZone"));
    expect(
        "/Resources/DomainRecord/Properties",
        json!({
            "HostedZoneId": {"Ref": "HostedZoneId"}, "Name": {"Ref": "DomainName"}, "Type": "A", "AliasTarget": alias
        }),
    );
    expect("/Outputs/DomainTarget/Condition", json!("HasDomain"));
    expect("/Outputs/DomainTarget/Value", of_domain("RegionalDomainName"));
    // Providers that have AWS's name already go on with it.
    expect("/Resources/Api/Properties/DisableExecuteApiEndpoint", Value::Null);
    let aws = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}";
    for (output, path) in
        [("ApiUrl", ""), ("MailgunUrl", "/inbound/mailgun/mime"), ("PostmarkUrl", "/inbound/postmark")]
    {
        let (own, other) = (format!("https://${{DomainName}}{path}"), format!("{aws}{path}"));
        expect(
            &format!("/Outputs/{output}/Value"),
            json!({"Fn::If": ["HasDomain", {"Fn::Sub": own}, {"Fn::Sub": other}]}),
        );
    }
    faults
}

/// What a condition or an assertion says for these parameters; the others have their defaults.
fn holds(stack: &Stack, expression: &Value, given: &[(&str, &str)]) -> bool {
    let value = |value: &Value| match value["Ref"].as_str() {
        Some(name) => given
            .iter()
            .find(|(other, _)| *other == name)
            .map_or_else(|| shown(stack.at(&format!("/Parameters/{name}/Default"))), |(_, value)| (*value).to_owned()),
        None => shown(value),
    };
    let (function, arguments) = entries(expression).next().expect("a function");
    let arguments = list(arguments);
    let mut each = arguments.iter().map(|argument| holds(stack, argument, given));
    match function {
        "Fn::And" => each.all(|holds| holds),
        "Fn::Or" => each.any(|holds| holds),
        "Fn::Not" => !each.all(|holds| holds),
        "Fn::Equals" => value(arguments[0]) == value(arguments[1]),
        "Condition" => holds(stack, stack.at(&format!("/Conditions/{}", shown(arguments[0]))), given),
        other => panic!("{other} is not known here"),
    }
}

/// Which rules refuse these parameters.
fn refused<'a>(stack: &'a Stack, given: &[(&str, &str)]) -> Vec<&'a str> {
    let of = |rule: &Value| {
        let asked = rule["RuleCondition"].is_null() || holds(stack, &rule["RuleCondition"], given);
        asked && list(&rule["Assertions"]).iter().any(|assertion| !holds(stack, &assertion["Assert"], given))
    };
    entries(stack.at("/Rules")).filter(|(_, rule)| of(rule)).map(|(name, _)| name).collect()
}

/// What goes together and what does not, before anything is made.
pub(super) fn rules_ask_first(stack: &Stack) -> Vec<String> {
    const NAME: (&str, &str) = ("DomainName", "hooks.example.com");
    const CERTIFICATE: (&str, &str) = ("CertificateArn", "arn");
    const ZONE: (&str, &str) = ("HostedZoneId", "Z1");
    const RULE_SET: (&str, &str) = ("ReceiptRuleSetName", "theirs");
    const SES: (&str, &str) = ("EnableSes", "true");
    let mut faults = Vec::new();
    for (given, wanted) in [
        (&[][..], &[][..]),
        (&[NAME, CERTIFICATE], &[]),
        (&[NAME, CERTIFICATE, ZONE], &[]),
        (&[SES], &[]),
        (&[SES, RULE_SET], &[]),
        (&[NAME], &["DomainAndCertificate"]),
        (&[CERTIFICATE], &["DomainAndCertificate"]),
        (&[NAME, ZONE], &["DomainAndCertificate"]),
        (&[ZONE], &["ZoneOfTheDomain"]),
        (&[RULE_SET], &["RuleSetWithoutSes"]),
    ] {
        let refused = refused(stack, given);
        if refused != wanted {
            faults.push(format!("{given:?} is refused by {refused:?}, not by {wanted:?}"));
        }
    }
    for (given, domain, zone) in
        [(&[][..], false, false), (&[NAME, CERTIFICATE], true, false), (&[NAME, CERTIFICATE, ZONE], true, true)]
    {
        let found = ["HasDomain", "HasZone"].map(|name| holds(stack, &json!({"Condition": name}), given));
        if found != [domain, zone] {
            faults.push(format!("{given:?}: HasDomain and HasZone are {found:?}"));
        }
    }
    for (name, rule) in entries(stack.at("/Rules")) {
        let told = |assertion: &&Value| assertion["AssertDescription"].as_str().is_some_and(|text| text.len() > 40);
        if !list(&rule["Assertions"]).iter().all(told) {
            faults.push(format!("rule {name} does not say what to do"));
        }
    }
    faults
}
