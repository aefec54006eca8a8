"""The software bill of materials: what is inside an artefact, as CycloneDX 1.6 (RLSE-05, SHP-2).

The same artefact gives the same bytes: the serial number comes from its digest, the date is that of
the build.
"""

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.spdx import fixup_id
from packageurl import PackageURL

from waiaas.host.files import Files
from waiaas.release.contents import Contents, Package, read

PUBLIC_MODE = 0o644
SERIALS = uuid.uuid5(uuid.NAMESPACE_DNS, "sbom.waiaas")


def write(artefact: Path, source: Path, output: Path, files: Files) -> Path:
    """Write the bill of an artefact that was built from `source`; returns `output`. Raises as `read` does."""
    document = json.loads(JsonV1Dot6(_bill(read(artefact, source))).output_as_string())
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    files.write("sbom", output, text.encode(), PUBLIC_MODE)
    return output


def _bill(contents: Contents) -> Bom:
    program = _component(contents.program, ComponentType.APPLICATION)
    parts = {package.name: _component(package, ComponentType.LIBRARY) for package in contents.packages}
    bill = Bom(
        serial_number=uuid.uuid5(SERIALS, contents.program.hashes[0]),
        components=parts.values(),
        metadata=BomMetaData(
            component=program,
            timestamp=datetime.fromtimestamp(contents.built, UTC),
            properties=[Property(name="waiaas:commit", value=contents.commit)] if contents.commit else None,
        ),
    )
    for package, component in ((contents.program, program), *((p, parts[p.name]) for p in contents.packages)):
        bill.register_dependency(component, [parts[name] for name in package.needs])
    return bill


def _component(package: Package, kind: ComponentType) -> Component:
    purl = PackageURL(
        "pypi" if kind is ComponentType.LIBRARY else "generic", None, package.name, package.version
    )
    return Component(
        type=kind,
        name=package.name,
        version=package.version,
        bom_ref=str(purl),
        purl=purl,
        licenses=[_licence(package.licence)],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in package.hashes],
    )


def _licence(expression: str) -> DisjunctiveLicense | LicenseExpression:
    known = fixup_id(expression)
    return DisjunctiveLicense(id=known) if known else LicenseExpression(expression)
