"""Why it could get out: five classes of root cause, what prevents each, and the plan (W-15, W-16)."""

from collections.abc import Mapping

from waiaas.core.errors import UsageError
from waiaas.core.value import frozen


@frozen
class RootCause:
    """`sentence` and `prevention` by language."""

    name: str
    sentence: Mapping[str, str]
    prevention: Mapping[str, str]


def _class(name: str, en: tuple[str, str], ko: tuple[str, str]) -> RootCause:
    return RootCause(name, {"en": en[0], "ko": ko[0]}, {"en": en[1], "ko": ko[1]})


CLASSES: dict[str, RootCause] = {
    one.name: one
    for one in (
        _class(
            "missing-tests",
            ("tests did not cover it", "continuous integration fails below 85 % coverage (`make coverage`)"),
            ("테스트가 다루지 못한 부분", "CI에서 커버리지 85 % 미만이면 실패 처리(`make coverage`)"),
        ),
        _class(
            "dependency-conflict",
            ("a dependency did not fit", "review the limits in pyproject.toml and the lock files in build/"),
            ("의존성 충돌", "pyproject.toml의 버전 제약과 build/의 잠금 파일 검토"),
        ),
        _class(
            "type-error",
            ("a value had another type than the code believed", "`mypy --strict` before every merge"),
            ("타입 오류", "병합 전 `mypy --strict` 통과 필수"),
        ),
        _class(
            "build-error",
            ("the artefact was not what the tree says", "publish-check: build twice, install, upgrade"),
            ("빌드 오류", "publish-check로 두 번 빌드해 비교하고 설치와 업그레이드를 검증"),
        ),
        _class(
            "docs-error",
            ("the documentation said something else", "tests compare documents with the program"),
            ("문서 오류", "문서와 프로그램을 비교하는 자동 테스트"),
        ),
    )
}
# Three horizons; each is a list to tick.
PLAN: dict[str, dict[str, tuple[str, ...]]] = {
    "now": {
        "en": (
            "Raise coverage from 85 % towards 90 %, beginning with what failed",
            "An integration test for each environment that was hit",
            "A matrix of the dependencies and Pythons that are supported",
        ),
        "ko": (
            "문제가 난 부분부터 커버리지를 85 %에서 90 %로 높이기",
            "문제가 발생한 환경마다 통합 테스트 추가",
            "지원하는 의존성과 Python 버전의 조합표 작성",
        ),
    },
    "soon": {
        "en": (
            "Stronger continuous integration: the check that would have caught it",
            "A list for testing by hand before gate 2",
            "Install from a staging feed automatically, before every release",
        ),
        "ko": (
            "이번 문제를 잡아냈을 검사를 CI에 추가",
            "두 번째 승인 전에 수행할 수동 점검표 마련",
            "릴리스 전마다 스테이징 피드 설치 자동 검증",
        ),
    },
    "later": {
        "en": (
            "A regression suite from every withdrawal so far",
            "Canary: begin each roll-out with a small share (`--rollout`)",
            "Collect feedback automatically",
        ),
        "ko": (
            "지금까지의 철회 사례를 모은 회귀 테스트 모음",
            "카나리 배포: 낮은 비율부터 단계적으로 배포(`--rollout`)",
            "사용자 피드백 자동 수집",
        ),
    },
}


def root_cause(name: str) -> RootCause:
    """Raises UsageError `unknown-class`, naming all there are."""
    if name not in CLASSES:
        raise UsageError(
            "unknown-class", f"{name!r} is no class of root cause", f"one of: {', '.join(CLASSES)}"
        )
    return CLASSES[name]


def plan(language: str) -> dict[str, str]:
    """The horizons as Markdown lists."""
    return {name: "\n".join(f"- [ ] {line}" for line in texts[language]) for name, texts in PLAN.items()}
