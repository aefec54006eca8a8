"""The short phrases between the templates, in English and Korean."""

PHRASES = {
    "en": {
        "none yet": "none yet",
        "none recorded": "none recorded",
        "unknown": "unknown",
        "use": "Use {}.",
        "nowhere": "There is no version to go to yet.",
        "next patch": "the next patch version",
        "expected": "{}, expected on {}",
        "preparing": "{}, in preparation",
        "in progress": "being fixed: {}",
        "planned": "The fix goes forward: {}. The number {} is never used again.",
        "problems": "Known issues: {}",
        "affected": "at least {}, by the downloads of the last seven days",
        "kept": "kept as they are",
        "crossing": "a backup from before the migration comes back; what is newer is lost",
        "issue": "Follow it here",
    },
    "ko": {
        "none yet": "아직 없음",
        "none recorded": "등록된 이슈 없음",
        "unknown": "파악되지 않음",
        "use": "{} 버전을 사용하십시오.",
        "nowhere": "아직 옮겨 갈 수 있는 버전이 없습니다.",
        "next patch": "다음 패치 버전",
        "expected": "{} ({} 배포 예정)",
        "preparing": "{} (준비 중)",
        "in progress": "수정 진행 중: {}",
        "planned": "수정 사항은 다음 버전으로 배포합니다: {}. 철회된 버전 번호({})는 다시 사용하지 않습니다.",
        "problems": "관련 이슈: {}",
        "affected": "최근 7일간 다운로드 수 기준 최소 {}명",
        "kept": "그대로 유지됩니다.",
        "crossing": "마이그레이션 이전 백업으로 되돌아가며, 그 뒤에 추가된 데이터는 사라집니다.",
        "issue": "진행 상황",
    },
}
# The steps that an issue reports on, in their order.
STEPS = {
    "feed": {"en": "Marked as withdrawn in the feed", "ko": "피드에 철회 표시"},
    "notice": {"en": "Notice for users", "ko": "사용자 안내문"},
    "notes": {"en": "Release notes", "ko": "릴리스 노트"},
    "images": {"en": "Moving image tags", "ko": "컨테이너 이미지 태그"},
    "latest": {"en": "Latest release on GitHub", "ko": "GitHub 최신 릴리스 표시"},
    "package": {"en": "Package yanked", "ko": "패키지 설치 중단(yank)"},
    "desktop": {"en": "List of the desktop channel", "ko": "데스크톱 업데이트 목록"},
    "tag": {"en": "Roll-back tag", "ko": "롤백 태그"},
}
OUTCOMES = {
    "done": {"en": "done", "ko": "완료"},
    "failed": {"en": "failed", "ko": "실패"},
    "by-hand": {"en": "to be done by hand", "ko": "수동 처리 필요"},
    "not-needed": {"en": "not needed", "ko": "해당 없음"},
    "pending": {"en": "not yet", "ko": "처리 전"},
}
