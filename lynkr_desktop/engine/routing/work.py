"""What kind of work an ask sets off, and whether it changes what is costly to break. By its words, never by tool lists."""

import re
from typing import Final, Literal

from lynkr_desktop.config.settings import Tier
from lynkr_desktop.engine.routing.reading import Reading

Work = Literal["single_shot", "tool_chain", "iterative", "autonomous"]
# The least tier of work that goes on by itself: a model that loses the thread half-way has cost more than it saved.
FLOORS: Final[dict[str, Tier | None]] = {
    "single_shot": None,
    "tool_chain": Tier.MEDIUM,
    "iterative": Tier.MEDIUM,
    "autonomous": Tier.COMPLEX,
}
_CHAIN_STEPS: Final = 3

_RISKS: Final = {
    "payments": """
        payment payments billing invoice invoices refund refunds payout payouts checkout subscription subscriptions stripe zahlung
        zahlungen rechnung rechnungen paiement paiements facturation pagos facturación pagamento оплата оплаты 支付 決済 결제
    """,
    "sign-in": """
        authentication auth oauth oauth2 jwt sso login logins password passwords session sessions anmeldung passwort
        authentification connexion autenticación contraseña авторизация аутентификация 登录 认证 認証 로그인
    """,
    "permissions": """
        permission permissions authorization rbac acl berechtigung berechtigungen rechte permisos 权限 権限 권한
    """,
    "secrets": "secret secrets credential credentials encrypt encryption decrypt certificate certificates vault",
    "production": "production prod rollout rollback terraform helm kubernetes produktion producción 生产 本番",
    "stored data": "migration migrations schema schemas migrate backfill datenmigration migración 迁移 移行",
}
_RISK_OF: Final = {word: matter for matter, words in _RISKS.items() for word in words.split()}
_RISKY: Final = frozenset(_RISK_OF)
_VERBS: Final = """
    add change fix remove delete drop update migrate rewrite refactor deploy rotate disable enable replace implement write apply
    switch move alter truncate revoke grant roll release run introduce extend rework redesign build
    ändere ergänze entferne lösche ersetze baue stelle ajoute change supprime remplace modifie añade cambia borra quita reemplaza
    adicione mude remova aggiungi rimuovi добавь измени удали замени
"""
_CHANGES: Final = frozenset(_VERBS.split())
_CHANGES_CJK: Final = re.compile("[改删加换写]|修改|删除|添加|変更|追加|削除|수정|추가|삭제")


def work_of(reading: Reading) -> Work:
    """One answer, several steps with tools, work that is repeated until it succeeds, or work that is left to the model wholly."""
    if reading.is_mechanical or reading.is_fact_question:
        return "single_shot"
    named = reading.count("autonomous")
    if named:
        return "autonomous" if named > 1 or reading.count("cause") else "iterative"
    steps = reading.count("sequence") + reading.numbered
    return "tool_chain" if steps >= _CHAIN_STEPS and reading.wants_work else "single_shot"


def risk_of(reading: Reading) -> str:
    """What the ask would change that is costly to break, in a word or two; empty if nothing.

    Two signs are needed, the matter and a change of it: "explain our payments" is no risk, nor is a typo in a migration.
    """
    vocabulary = reading.vocabulary
    if vocabulary.isdisjoint(_RISKY) and not reading.cjk:
        return ""
    if reading.is_mechanical or reading.is_fact_question:
        return ""
    if vocabulary.isdisjoint(_CHANGES) and not (reading.cjk and _CHANGES_CJK.search(reading.instruction)):
        return ""
    matter = next((word for word in reading.words if word in _RISKY), "")
    if not matter and reading.cjk:
        matter = next((word for word in _RISKY if word[0] > "⺀" and word in reading.instruction), "")
    return _RISK_OF.get(matter, "")
