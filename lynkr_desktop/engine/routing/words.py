"""The words that tell what an ask wants, by concept, in ten languages. Data only: `lexicon` looks them up.

An entry is a whole word, a stem (`migrat*`), or two neighbouring words (`root_cause`, `trade_off*`). Chinese, Japanese and
Korean entries are found anywhere inside a run of such characters, because those scripts do not part words the way others do.
"""

from typing import Final

CONCEPTS: Final[dict[str, str]] = {
    "proof": """
        potential_function counter_model montrez montre_que montrer_que muestra_que mostre_que mostra_che mostrare_che
        покажи_что zeige_formal argumentiere preuve prova_que prova_formal justify_formally 形式化证明
        形式的に 矛盾を 귀류법 보여라 prove disprove refute proof proofs derive derivation* deduce deduction
        counterexample* counter_example rigorous* bijection* by_induction show_that formal_proof formally irrational
        soundness by_contradiction exchange_argument full_argument show_whether argue beweis* widerleg*
        herleit* gegenbeispiel* zeige_dass satz_von démontr* prouve* réfut* déduis contre_exemple* preuve_que
        preuve_formelle demuestra* demostra* demuéstra* refuta* deduce* deduzc* contraejemplo* deriva_la prove_que
        demonstre provar demonstra* contraexemplo* deduza dimostra* confuta* controesempi* dedurre докаж* доказа*
        опроверг* выведи выведите контрпример* 证明 反例 推导 反证 归纳法 論証 証明 導出 ことを示 증명 반례 유도
    """,
    "formal": """
        np_hardness expected_number correctness deadlock_free race_free formal hypothes* invariante epsilon
        approximation satisfies for_any every_execution all_executions adversarial interleaved safety_property liveness
        borne bornes np_completo np_complet np_vollständig reducción typsystem soundness korrektheit correction_totale
        corrección корректност* 正确性 安全性を満たす 正しさ 정확성 종료함 competitive_ratio regret monoton*
        fixed_point contradict* theorem* lemma* corollar* axiom* théorème* lemme teorema* lema теорем* лемм* 定理 引理
        補題 invariant* linearizab* linearisab* serializab* decidab* undecidab* satisfiab* np_hard np_complete
        starvation* wait_free lock_free obstruction_free interleaving* treewidth asymptot* lower_bound tightest
        upper_bound tight_bound termination* halting fixpoint bisimul* ind_cca ind_cpa reduction* lattice* unsound
        converge* convergence commutative associative memory_model happens_before sequentially release_acquire byzantin*
        ergodic optimality hardness unbiased theoretical complexity_class worst_case amorti* 2_sat 3_sat 3sat 2sat
        sat_solver bound_the the_bound closed_form necessary_and if_and eigenvalue* hilbert homomorph* isomorph*
        automorph* topolog* manifold* monoid* category_theory partial_correctness loop_invariant stability_condition
        exactly_once refinement subtyping polymorph* coinduct* tla p_np equilibrium minimax pareto competitive
        deterministic assumption assumptions forward_secure prf high_probability invarianz* speichermodell* konvergi*
        terminier* entscheidbar* verhungern linearisierbar* untere_schranke invariante* conmutativ* asociativ*
        convergen* linealiz* inanición exclusión_mutua terminación decidible* óptimo comutativ* associativ* décidab*
        commutativ* borne_inférieure инвариант* сходим* сходится разрешим* коммутатив* линеаризуем* 不变量 不变式
        线性一致 收敛 可判定 复杂度 下界 上界 最优性 原子性 交换律 结合律 一致性证明 饥饿 界限 不変条件 飢餓 線形化可能
        停止性 収束 計算量 可換 到着列 불변식 수렴 선형화 복잡도
    """,
    "maths": """
        integral* eigenvector* matrix matrices polynomial* equation* probabilit* combinatori* expected_value variance
        modulo prime primes divisib* gradient* derivative* calculus algebra* geometr* logarithm* factorial* permutation*
        inequality bayes* markov stochastic differential* fourier laplace gaussian euler riemann cauchy triangle
        hypotenuse arithmetic solve_for what_percentage quadratic theorem* limit_of sum_of integer integers gleichung*
        wahrscheinlichkeit* ableitung* primzahl* équation* probabilité* ecuación* ecuaciones probabilidad* equação
        equaç* equazion* probabilità уравнен* вероятност* производн* простых интеграл* матриц* 方程 概率 积分 矩阵 导数
        素数 质数 不等式 方程式 確率 積分 行列 微分 방정식 확률 적분 행렬
    """,
    "algorithm": """
        algorithm* log_n logn n_log dynamic_programming greedy heuristic* shortest_path spanning data_structure
        data_structures knapsack np travelling backtrack* memoiz* time_complexity space_complexity big_o optimal optimum
        minimal maximise maximize minimise minimize solver simplex graph_theory dag bipartite scheduler
        scheduling compiler parser interpreter algorithmus algorithmen algorithme* algoritmo* алгоритм* 算法 数据结构
        动态规划 最优 最短路径 アルゴリズム データ構造 最適 알고리즘 자료구조
    """,
    "cause": """
        at_random logged_out rises rising climbs steigt speicherverbrauch dauernd aumenta crece consumo augmente растёт
        上升 増え 丢订单 exhaust* missing lost loses lose dropped drops mismatch only_appears only_happens only_when
        going_on could_be rule_out ruled_out timeout timeouts times_out disappears vanish* unexpectedly swallowed blank
        overnight every_night consumes grows growing fehlen fehlt verschwind* tritt auftritt liegt_das woran_liegt
        disparaît disparaissent perd perdent pierde pierden desaparece* perde somem sparisce пропада* теряет* теряются
        丢失 异常 超时 消失 失败 查明 消える 消え 調べて 再現 失われ 사라지 간헐 flaky intermittent* sporadic* heisenbug
        root_cause the_cause causes diagnos* investigat* figure_out track_down work_out find_out hang hangs hanging
        freez* crash* segfault* sigsegv core_dump corrupt* regress* deadlock* leak* latency slow slower slows spikes
        spike oom oomkilled stale duplicated duplicates sometimes occasionally randomly suddenly under_load only_in
        why_does why_do why_is why_are wrong debugging reproduce bisect doesn_t still_broken no_longer keeps_failing
        in_production in_prod twice fails failing broke broken after_upgrading bottleneck track_it nothing_else
        under_heavy mystery unexplained inconsistent nondetermin* non_determin* out_of mysteriously happening ursache*
        herausfinden woran manchmal gelegentlich sporadisch speicherleck* absturz* stürzt hängt langsam warum_ist
        unter_last cause_racine pourquoi plante parfois intermittent fuite* lent lente diagnosti* débog* causa causas
        averigua por_qué falla fallan colga* cuelga a_veces de_vez fuga* lenta lento depura* causa_raiz descubra por_que
        trava às_vezes vazamento* perché perch* talvolta blocca lentezza причин* почему иногда зависает утечк* падает
        медленно отлад* выясни 原因 为什么 偶尔 有时 泄漏 崩溃 卡死 死锁 变慢 排查 定位 诊断 间歇 なぜ 時々 リーク
        クラッシュ 遅い 調査 突き止め 起きてい 悪化 원인 왜 가끔 누수 느려 진단
    """,
    "concurrency": """
        thread_safe race races racy race_condition race_conditions mutex* semaphore* thread threads threading
        multithread* concurren* atomics atomic parallel* goroutine* memory_order cas volatile spinlock* barrier* hazard
        rcu lock locks locking contention preempt* nebenläufig* sperre* concurrence hilos concurrencia* carrera
        concorrên* concorren* поток* гонк* блокировк* конкурент* 并发 竞态 线程 互斥 锁 原子 並行 競合 スレッド 排他
        ロック 동시성 스레드 경쟁 교착
    """,
    "distributed": """
        distributed raft paxos consensus replicat* idempoten* shard* partition* failover kafka eventual* crdt*
        microservice* gossip leader_election split_brain vector_clock hinted lease leases cluster* multi_region
        load_balanc* exactly_once event_sourcing cqrs saga sagas high_availability fault_tolerance fault_toleran*
        fault_tolerant queue* throughput horizontally verteilt* distribu* réparti* кластер* распредел* реплик* шардир*
        分布式 共识 副本 分片 集群 消息 微服务 分散 合意 レプリ 분산 합의 복제
    """,
    "security": """
        audit vulnerab* exploit* threat threat_model penetration pentest* injection xss csrf ssrf cve attack* adversar*
        hardening zero_day sandbox* privilege escalation oauth* sso rbac access_control role_based encrypt* hipaa gdpr
        pci sicherheit* schwachstell* angriff* sécurit* vulnérab* faille* segurid* seguranç* ataque* sicurezza
        безопасност* уязвим* атак* 安全 漏洞 攻击 审计 加密 认证 权限 セキュリティ 脆弱 攻撃 監査 보안 취약 감사
    """,
    "crypto": """
        cryptograph* cryptanal* ecdsa hmac nonce* zero_knowledge zk_snark* elliptic diffie rsa aead side_channel
        kryptograph* criptogr* криптограф* 密码学 暗号 암호학
    """,
    "breadth": """
        monolit* every_screen the_repo the_codebase the_suite all_use all_uses all_usages toute_l alle_dateien
        whole_module all_call every_file every_module every_service each_service backend_and alle_module todo_proyecto
        tout_projet ganzen gesamten everywhere entire whole across codebase every_place every_query every_call code_base
        repo_wide repository_wide multi_file multiple_files all_files several_files all_places all_our all_callers
        end_to from_scratch monorepo monolith legacy modules services controllers endpoints dozens hundreds all_modules
        throughout incrementally gesamte* ganze* überall alle_stellen jede_stelle sämtliche* altsystem* schrittweise
        partout tout_le toute_la ensemble_du tous_les toutes_les tout_l todo_el toda_la todos_los todas_las cada_lugar
        código_base todo_o toda_a todos_os em_todo tutto_il tutti_i ovunque весь всю везде всего_проекта во_всех
        по_всему 整个 全部 十几个 各个 全体 すべて 全て 段階的 전체 모든
    """,
    "design": """
        rip_out replace_it propón propose data_model model_and pasar_de monolit* in_phases por_fases phasenweise
        go_through introduce move_our should_we recommend without_breaking without_downtime feature_flags kill_switch
        split split_our blueprint consolidate replace_our greenfield phase_out deprecat* trenne aufteil* ohne_ausfall
        découpe découper sans_interruption separar separa sin_interrupciones sem_interrupção senza_interruzioni раздели
        разделить без_простоя 拆成 平滑 停机 分割 無停止 分離 무중단 분리 design designs designing architect* redesign
        restructure* migrat* upgrade upgrading multi_tenan* multitenan* multi_tenant multi_tenancy offline_first
        zero_downtime trade_off* tradeoff* trade_off trade_offs threat_model roadmap split_the strategy overhaul
        refactor* decouple* port_this port_the port_our sketch plan_and come_up rearchitect* modernize rewrite homegrown
        entwirf entwerf* entwurf architektur* migrier* umstell* stelle_das abwäg* umbau* mandanten* plane umstieg
        conçois concevoir conception architectur* migrer planifie refonte diseña* diseñe arquitectur* migrar migra
        rediseñ* planifica projete projeta* arquitetur* migre planeje progetta* architettur* migrazione pianifica
        спроектир* архитектур* мигр* перепроектир* спланируй 设计 架构 迁移 方案 重构 取舍 权衡 实施 设计并 拆分 設計
        アーキテクチャ 移行 計画 リファクタ 切り出 설계 아키텍처 이전 리팩터
    """,
    "system": """
        saas full_stack fullstack billing webapp
        scalab* tenant* real_time realtime rollout backward* compatib* framework platform sync synchroni* orchestrat*
        pipeline* system subsystem infrastructure role_based collaborative observab* resilien* redundan* recovery
        fail_safe failsafe integration workflow* support modular* extensib* plugin plugins plug_in engine optimize
        optimise profile profiling ledger marketplace monitoring notifications payments reconciliation offline versioned
        hot_reload conflict_resolution rps tps skalierb* plattform* system* bezahlsystem* wiederholungen plateforme*
        système* évolutif* escalab* plataforma* sistema* escaláv* scalabil* piattaforma* масштабир* платформ* систем*
        可扩展 系统 平台 千万级 高可用 系统设计 システム 基盤 共存 시스템 플랫폼
    """,
    "build": """
        write implement create build develop code generate make_a make_an make_me add extend draft produce program
        need_a need_an give_me convert parse turn schreib* implementier* erstell* bau* entwickl* ergänz* füge écris
        écrire implémente* crée créer développe* ajoute* génère* escribe* escriba implementa* crea crear desarrolla*
        añade* agrega* genera* necesito escreva escreve implemente crie desenvolva adicione gere scrivi* sviluppa*
        aggiungi напиши* реализуй* создай* сделай* разработай* добавь* сгенерируй* 写 编写 实现 创建 开发 生成 添加 构建
        書いて 実装 作成 作って 追加 생성 작성 구현 만들어 추가
    """,
    "artefact": """
        loop list array object objects struct interface route routes dataclass enum context button modal navbar header
        footer chart dashboard bot email form_with table_with rest_route skript_das page_with chrome_extension extension
        package module_that cron function* class classes method* script* component* endpoint* query queries regex* api
        apis hook* module test tests unit_test migration config* dockerfile makefile workflow schema handler* middleware
        service helper* decorator* parser cli flag form page program app application server client crawler scraper table
        database model wrapper algorithm game terraform yaml playbook funktion* klasse* methode* skript* abfrage*
        komponente* tabelle* fonction* classe* requête* composant* función funciones clase* método* consulta*
        componente* objetivos função funções classe consulta funzion* metodo функци* класс* метод* скрипт* запрос*
        компонент* тест* 函数 类 方法 脚本 组件 接口 查询 测试 関数 クラス メソッド スクリプト コンポーネント フック
        クエリ テスト 함수 클래스 메서드 스크립트 컴포넌트 쿼리
    """,
    "work": """
        wrap overflow align center centre style layout responsive missing_error sanitize retry log logging cache
        paginate pagination debounce throttle unit_test integration_tests mock fixture lint types typing migrate_this
        sort_by filter aggregate group_by grouped join joins scrape fetch hinzufügen ergänze behandle valide validiert
        ajouter gérer validar validación manejar tratar valida обработ* валид* 处理 验证 分组 読み込 変換 直して 検証
        処理 읽어 변환 검증 test tests review refactor fix debug optimize optimise convert handle validate edge_cases
        unit_tests extract error errors exception config configure setup set_up install deploy problems bug bugs issue
        document documentation jsdoc docstring* rewrite summarize summarise brainstorm improve suggest check
        configurable make_it prüf* überprüf* behebe korrigiere unsauber fehler optimier* zusammenfass* fasse corrige*
        vérifie* optimis* erreur* résum* refactori* améliore* teste* revisa* arregla* optimiza* errores resum* mejora*
        revise corrija otimize erro resuma melhore correggi ottimizza errore riassumi rivedi исправ* проверь* оптимизир*
        ошибк* рефактор* отревью* улучши* кратко резюмир* 修复 修改 优化 审查 检查 测试 报错 错误 总结 改进 调试 修正
        レビュー 最適化 エラー バグ テスト 要約 改善 수정 최적화 검토 오류 버그 테스트 요약
    """,
    "explain": """
        what_happens in_detail step_through elabor* clarify conceptual beispiel* exemple* ejemplo* exemplo* esempio
        esempi пример* 例 예시 explain explains describe overview walk_me how_does how_do how_can how_would how_to
        how_should difference differences compare comparison versus vs when_would when_should why_would pros_and cons
        an_example with_example with_examples tutorial guide erklär* beschreib* unterschied* vergleich* überblick
        wie_funktioniert wie_kann wie_geht expliqu* décri* différence* compar* comment_fonctionne comment_faire
        comment_puis comment_déboguer comment_résoudre comment_optimiser comment_choisir explica* diferencia* compara*
        cómo_funciona cómo explique descreva diferença* como_funciona spiega* descrivi differenz* confronta
        come_funziona объясни* опиши* разниц* сравни* как_работает отличи* 解释 说明 区别 比较 如何 怎么 介绍 各自 説明
        違い 比較 仕組み 方法 설명 차이 비교 어떻게
    """,
    "analysis": """
        analy* evaluate assess weigh trade_off* tradeoff* trade_offs implications pros_and root_cause critique justify
        reasoning quantify estimate bewert* beurteil* abwäg* évalue* analyse* justifi* evalúa* analiza* justifica*
        avalie* valuta* analizza* анализ* оцени* обоснуй* 分析 评估 权衡 论证 取舍 分析して 評価 検討 분석 평가
    """,
    "mechanical": """
        these_into this_into spell_check spellcheck abbreviate shorten trailing_spaces double_quotes single_quotes
        ersetze reemplaza substitua sostituisci замени 替换 置き換え 翻译成 바꿔 rename renames typo typos reformat
        indent alphabetically alphabetize uppercase lowercase capitalize capitalise capitalized translate one_liner
        commit_message trailing bold italic pluralize whitespace spelling comment_out uncomment bump sort_these sort_the
        sort_this reverse_the replace_all change_the remove_the delete_the delete_this remove_this newline semicolon
        semicolons comma commas past_tense plural rephrase title titles heading titlecase camelcase kebab_case minify
        prettify beautify pretty_print format_this format_the to_uppercase to_lowercase run_the reorder dedupe unquote
        line_breaks into_json swap_the copy_the paste benenne umbenenn* tippfehler* rechtschreib* großschreib* übersetz*
        sortiere formatiere ändere_den renomme* faute_de traduis* traduire trie_ces majuscules minuscules orthographe
        mets_en renombra* errata tradu* ordena mayúsculas minúsculas cambia_el ortogra* renomeie traduza maiúsculas
        rinomina* traduci maiuscol* refuso переимену* опечатк* перевед* отсортируй заглавн* 改名 重命名 错别字 翻译 排序
        大写 小写 格式化 改为 名前を変 変数名 誤字 翻訳 並べ替え 大文字 小文字 整形 置換 이름을 오타 번역 정렬 대문자
    """,
    "chat": """
        hi hello hey thanks thank_you bye goodbye good_morning good_night good_evening how_are cheers great_job awesome
        worked lol welcome ciao hallo danke* tschüss guten_morgen guten_tag moin servus bonjour salut merci au_revoir
        hola gracias adiós buenos_días olá oi obrigad* tchau bom_dia grazie buongiorno привет* спасибо пока здравствуй*
        你好 谢谢 再见 您好 早上好 こんにちは ありがとう おはよう さようなら 안녕 감사 고마워
    """,
    "sequence": """
        then finally afterwards subsequently first second third next step steps phase phases stage lastly dann danach
        anschließend schließlich zuerst zunächst schritt* ensuite puis enfin d'abord étape* luego después finalmente
        primero paso* então depois passo* poi infine dopo passaggi* затем потом наконец сначала шаг* этап* 然后 接着
        最后 首先 步骤 次に 最後に まず 手順 それから 그런 다음 먼저 마지막 단계
    """,
    "constraint": """
        must without only at_most at_least no_more exactly within ensure ensuring guarantee* should_not must_not cannot
        avoid keep preserve require* constraint* limit limited under less_than more_than up_to bounded budget deadline
        compatible never always safely muss müssen ohne höchstens mindestens genau innerhalb garantier* darf_nicht
        behalte doit sans moins_de plus_de exactement garanti* éviter debe sin menos_de más_de exactamente asegura*
        garantiz* evitar deve sem no_máximo garanta* senza almeno al_massimo должен должна без не_более не_менее
        гаранти* ровно 必须 不能 至少 最多 保证 避免 不变 要求 限制 必ず 以内 以上 以下 せずに なしで 반드시 없이 최소
        최대
    """,
    "format": """
        json yaml csv xml markdown table bullet bullets schema html diff numbered toml latex tabelle tableau tabla
        tabela tabella таблиц* 表格 表 列表 箇条書き 표
    """,
    "autonomous": """
        keep_trying until_it whatever_it on_your autonomously until_all until_the until_every keep_going bis_es bis_alle
        solange_bis jusqu_à hasta_que até_que finché пока_не 直到 するまで 될_때까지
    """,
    "technical": """
        code variable* database* server* client* import export async await promise interface type struct enum api
        backend frontend git branch repository npm pip docker compile* runtime framework* library cache* request*
        response* http* json sql python javascript typescript java rust golang react vue django flask spring node linux
        bash shell datenbank* quelltext base_de donnée* datos dados banco база данных код 代码 数据库 服务器 变量 缓存
        コード データベース サーバー 変数 코드 데이터베이스
    """,
    "domain": """
        jwt credential* secret* password* auth* tensor* embedding* neural transformer* pytorch tensorflow inference
        training llm kubernetes k8s docker redis postgres* mysql mongodb nosql orm transaction* index* terraform ansible
        jenkins ci cd deploy* css hooks webpack websocket* grpc graphql rest elasticsearch rabbitmq aws gcp azure gpu
        cuda kernel driver embedded fpga blockchain 模型 训练 神经网络 部署 容器 前端 后端 事务 索引 モデル 学習
        デプロイ コンテナ トランザクション 모델 학습 배포 컨테이너
    """,
}

# How a question of fact opens: the first word or the first two.
FACT_OPENERS: Final = """
    what_year what_time what_port what_command what_version how_many how_much comment_allez cómo_se comment_dit wie_sagt
    wie_viele cuántos combien_de what_is what_s what_are what_does what_do what_was which_port which_command
    which_version which_is who when_was when_did where_is where_are define is_it does does_the is_there how_do_you
    how_long how_old whats meaning is can_you_tell was_ist was_sind was_bedeutet was_heißt wer wann wo_ist welcher_port
    welche_version welches qu_est quel quelle quels quelles qui où que_signifie qué_es qué_son qué_significa quién
    cuándo dónde cuál o_que qual quem quando onde cos_è che_cosa chi dove cosa_è что_такое кто когда где какой какая
    что_значит какие
"""
# These open one only if the ask is short and names no work.
SHORT_FACT_OPENERS: Final = """
    which how_do is does can where when was welche welcher welches wie qué quel quelle qual как какой сколько
"""
# In these scripts the question word may stand anywhere.
FACT_WORDS: Final = """
    是什么 什么是 什么意思 是谁 哪个 多少 とは ですか 何ですか 誰 どこ 이란 무엇 뭐야 누구 어디
"""
# Words that may come before the opening.
POLITE: Final = """
    also and bitte can could favor hey hi just kindly now ok please por so well you
"""
