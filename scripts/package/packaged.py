#!/usr/bin/env python3
"""Makes a template that `sam build` wrote fit an archive: packaged.py TEMPLATE ARCHITECTURE

What lies beside it was built for one processor, so that is the only answer; and nothing is built from it any more.
"""

import sys

from samcli.yamlhelper import yaml_dump, yaml_parse


def main(path, architecture):
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    parameter = template["Parameters"]["Architecture"]
    parameter["Default"] = architecture
    parameter["AllowedValues"] = [architecture]
    parameter["Description"] = "What the functions of this archive were built for."
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource.pop("Metadata", None)
    with open(path, "w", encoding="utf-8") as file:
        file.write(yaml_dump(template))


if __name__ == "__main__":
    main(*sys.argv[1:])
