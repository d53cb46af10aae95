// Simplified Chinese: why a bind fails, and the evidence for it. English is the source; {words} stand for what differs.
export const causes: readonly (readonly [english: string, chinese: string])[] = [
  // Summaries
  [
    '{holder} has bound {place} without listening on it: the port is taken, though no list of listeners shows it',
    '{holder} 绑定了 {place} 但没有监听：端口已被占用，只是监听列表中看不到',
  ],
  [
    '{holder} receives on {place}; both set SO_REUSEADDR, so a second bind works, and only one of them gets the datagrams',
    '{holder} 正在 {place} 上接收数据；双方都设置了 SO_REUSEADDR，因此可以再次绑定，但只有一方能收到数据报',
  ],
  ['{place} is held by a process that cannot be shown', '{place} 被一个无法显示的进程占用'],
  ['{place} is held by {holder}', '{place} 被 {holder} 占用'],
  [
    '{holder} has {place}; a :: socket that is not IPV6_V6ONLY takes IPv4 too, so the two collide',
    '{holder} 占用了 {place}；未设置 IPV6_V6ONLY 的 :: 套接字同时占用 IPv4，因此两者冲突',
  ],
  [
    '{holder} has {place}, which covers every address, also {address}',
    '{holder} 占用了 {place}，它覆盖所有地址，也包括 {address}',
  ],
  [
    '{holder} has {place}, one of the addresses that {address} would cover',
    '{holder} 占用了 {place}，它是 {address} 所覆盖的地址之一',
  ],
  [
    'nobody listens, but {connections} of this machine uses port {port} as local port',
    '没有进程监听，但本机有 {connections}以端口 {port} 作为本地端口',
  ],
  [
    'nobody listens, but {connections} of this machine use port {port} as local port',
    '没有进程监听，但本机有 {connections}以端口 {port} 作为本地端口',
  ],
  [
    'free for a program that sets SO_REUSEADDR; one that does not is refused while {connections} on port {port} last',
    '设置了 SO_REUSEADDR 的程序可以使用；未设置的程序会被拒绝，直到端口 {port} 上的 {connections}结束',
  ],
  [
    'free for a program that does not ask for exclusive use (SO_EXCLUSIVEADDRUSE); one that does is refused while {connections} on port {port} last',
    '不要求独占（SO_EXCLUSIVEADDRUSE）的程序可以使用；要求独占的程序会被拒绝，直到端口 {port} 上的 {connections}结束',
  ],
  [
    '{closed} of port {port} is in TIME_WAIT, for {time}',
    '端口 {port} 有 {closed}处于 TIME_WAIT，持续时间：{time}',
  ],
  [
    '{closed} of port {port} are in TIME_WAIT, for {time}',
    '端口 {port} 有 {closed}处于 TIME_WAIT，持续时间：{time}',
  ],
  [
    '{closed} of port {port} is in TIME_WAIT, for {time}, and the bind did not set SO_REUSEADDR',
    '端口 {port} 有 {closed}处于 TIME_WAIT，持续时间：{time}；而绑定时没有设置 SO_REUSEADDR',
  ],
  [
    '{closed} of port {port} are in TIME_WAIT, for {time}, and the bind did not set SO_REUSEADDR',
    '端口 {port} 有 {closed}处于 TIME_WAIT，持续时间：{time}；而绑定时没有设置 SO_REUSEADDR',
  ],
  [
    'free for a program that sets SO_REUSEADDR; one that does not is refused until {closed} in TIME_WAIT is over ({time})',
    '设置了 SO_REUSEADDR 的程序可以使用；未设置的程序会被拒绝，直到 {closed}的 TIME_WAIT 结束（{time}）',
  ],
  [
    'free for a program that sets SO_REUSEADDR; one that does not is refused until {closed} in TIME_WAIT are over ({time})',
    '设置了 SO_REUSEADDR 的程序可以使用；未设置的程序会被拒绝，直到 {closed}的 TIME_WAIT 结束（{time}）',
  ],
  [
    'free for a program that does not ask for exclusive use (SO_EXCLUSIVEADDRUSE); one that does is refused until {closed} in TIME_WAIT is over ({time})',
    '不要求独占（SO_EXCLUSIVEADDRUSE）的程序可以使用；要求独占的程序会被拒绝，直到 {closed}的 TIME_WAIT 结束（{time}）',
  ],
  [
    'free for a program that does not ask for exclusive use (SO_EXCLUSIVEADDRUSE); one that does is refused until {closed} in TIME_WAIT are over ({time})',
    '不要求独占（SO_EXCLUSIVEADDRUSE）的程序可以使用；要求独占的程序会被拒绝，直到 {closed}的 TIME_WAIT 结束（{time}）',
  ],
  [
    'port {port} is in use, and no listener shows: probably a socket that is bound and does not listen',
    '端口 {port} 已被占用，但看不到监听者：很可能是一个已绑定而未监听的套接字',
  ],
  [
    'port {port} is in use by a socket that the table does not show',
    '端口 {port} 被套接字表中没有显示的套接字占用',
  ],
  [
    'the bind worked, but whether somebody shares port {port} cannot be seen on this system',
    '绑定成功，但在这个系统上无法看到是否有其他程序共享端口 {port}',
  ],
  [
    "free, but set aside by this machine's administrator: another service may be meant to have port {port}",
    '空闲，但已被本机管理员预留：端口 {port} 可能是留给其他服务的',
  ],
  [
    'free now, but inside the ephemeral range: an outgoing connection may take port {port} at any time',
    '目前空闲，但位于临时端口范围内：出站连接随时可能占用端口 {port}',
  ],
  [
    'ports below {first} are for privileged programs on this machine, and {user} is not privileged',
    '在本机上，{first} 以下的端口只供特权程序使用，而 {user} 没有特权',
  ],
  ['the system has excluded ports {range} from use', '系统已将端口 {range} 排除在可用范围之外'],
  [
    "a security policy denied the bind to port {port}, not the port's number or a holder",
    '绑定端口 {port} 被安全策略拒绝，与端口号或占用者无关',
  ],
  ['{address} is not an address of this machine', '{address} 不是本机的地址'],
  ['IPv6 is not available here', '此处无法使用 IPv6'],
  ['IPv4 is not available here', '此处无法使用 IPv4'],
  [
    '{address} is a link-local address: the system cannot tell which interface is meant',
    '{address} 是链路本地地址：系统无法判断指的是哪个网络接口',
  ],
  ['the system does not accept {place} for a bind', '系统不接受绑定 {place}'],
  ['the whole machine has no file descriptor left', '整台机器的文件描述符已经用完'],
  [
    'this process has no file descriptor left, so it cannot open a socket',
    '本进程的文件描述符已经用完，无法打开套接字',
  ],
  ['{number} is not a port', '{number} 不是端口号'],
  ["'{host}' is neither an address nor a name that resolves", '“{host}” 既不是地址，也不是能解析的名称'],
  [
    'Windows has reserved ports {range}, most often for Hyper-V, WSL or Docker: nobody listens, and nobody may',
    'Windows 已保留端口 {range}（多半是为 Hyper-V、WSL 或 Docker）：没有进程监听，也不允许任何进程监听',
  ],
  [
    'access to port {port} is denied, and no excluded range says why: a program may hold it for itself alone (SO_EXCLUSIVEADDRUSE), or security software forbids it',
    '访问端口 {port} 被拒绝，且不在任何排除范围内：可能有程序独占了它（SO_EXCLUSIVEADDRUSE），或被安全软件禁止',
  ],
  [
    'http.sys, the web server in Windows itself, has port {port} for {urls}',
    'Windows 内置的 Web 服务器 http.sys 占用了端口 {port}，用于 {urls}',
  ],
  [
    'free, but no rule of the firewall lets other machines reach {protocol} {port}, unless your program has one of its own',
    '空闲，但没有防火墙规则允许其他机器访问 {protocol} {port}，除非你的程序有自己的规则',
  ],
  [
    'free, but a rule of the firewall blocks {protocol} {port} from other machines',
    '空闲，但有防火墙规则阻止其他机器访问 {protocol} {port}',
  ],
  // Evidence
  [
    'the rules of Windows Defender Firewall for incoming connections',
    'Windows Defender 防火墙的入站连接规则',
  ],
  [
    'a bind works beside it all the same: with SO_REUSEADDR, macOS lets a wildcard and a single address share a port, and the single address gets its connections',
    '仍可在它旁边绑定：设置 SO_REUSEADDR 时，macOS 允许通配地址与单个地址共用端口，连接由单个地址接收',
  ],
  [
    'the socket table has {protocol} {place} in state {state}',
    '套接字表中有 {protocol} {place}，状态为 {state}',
  ],
  ['its holder cannot be shown: {reason}', '无法显示其占用者：{reason}'],
  ['PID {pid} ({name}) of {user}: {command}', 'PID {pid}（{name}），用户 {user}：{command}'],
  ['PID {pid} ({name}) of {user}', 'PID {pid}（{name}），用户 {user}'],
  ['PID {pid} ({name}): {command}', 'PID {pid}（{name}）：{command}'],
  ['PID {pid} ({name})', 'PID {pid}（{name}）'],
  ['{syscall} failed: {code}', '{syscall} 失败：{code}'],
  ['{syscall} with SO_REUSEADDR failed: {code}', '{syscall}（设置 SO_REUSEADDR）失败：{code}'],
  ['{syscall} without SO_REUSEADDR failed: {code}', '{syscall}（未设置 SO_REUSEADDR）失败：{code}'],
  [
    '{syscall} as Node does it, with no option failed: {code}',
    '{syscall}（与 Node 相同，不带选项）失败：{code}',
  ],
  ['{syscall} with SO_EXCLUSIVEADDRUSE failed: {code}', '{syscall}（设置 SO_EXCLUSIVEADDRUSE）失败：{code}'],
  ['bind and listen worked', 'bind 和 listen 成功'],
  ['bind and listen with SO_REUSEADDR worked', 'bind 和 listen（设置 SO_REUSEADDR）成功'],
  ['bind and listen without SO_REUSEADDR worked', 'bind 和 listen（未设置 SO_REUSEADDR）成功'],
  ['bind and listen as Node does it, with no option worked', 'bind 和 listen（与 Node 相同，不带选项）成功'],
  ['bind and listen with SO_EXCLUSIVEADDRUSE worked', 'bind 和 listen（设置 SO_EXCLUSIVEADDRUSE）成功'],
  [
    'bind and listen with SO_REUSEADDR worked; {syscall} without it failed: {code}',
    'bind 和 listen（设置 SO_REUSEADDR）成功；不设置时 {syscall} 失败：{code}',
  ],
  [
    'bind and listen as Node does it, with no option worked; {syscall} with SO_EXCLUSIVEADDRUSE failed: {code}',
    'bind 和 listen（与 Node 相同，不带选项）成功；设置 SO_EXCLUSIVEADDRUSE 时 {syscall} 失败：{code}',
  ],
  [
    'a plain bind works beside it all the same: Windows then gives connections to the more specific address, so one of the two gets none',
    '普通绑定仍可与它并存：Windows 会把连接交给地址更具体的一方，因此其中一方收不到连接',
  ],
  ['it is held exclusively (SO_EXCLUSIVEADDRUSE)', '它被独占（SO_EXCLUSIVEADDRUSE）'],
  ['{place} → {peer} in state {state}', '{place} → {peer}，状态为 {state}'],
  ['{sockets} in TIME_WAIT, owned by no process', '{sockets}处于 TIME_WAIT，不属于任何进程'],
  ['the socket table ({source}) has no socket in the way', '套接字表（{source}）中没有冲突的套接字'],
  ['the socket table has nobody on it', '套接字表中没有占用者'],
  ['this system has no socket table that can be read', '这个系统没有可读取的套接字表'],
  ['net.ipv4.ip_local_reserved_ports has {ranges}', 'net.ipv4.ip_local_reserved_ports 为 {ranges}'],
  [
    'the administered exclusions of netsh int ipv4 show excludedportrange are {ranges}',
    'netsh int ipv4 show excludedportrange 中由管理员设置的排除范围为 {ranges}',
  ],
  ['outgoing connections get local ports from {range}', '出站连接的本地端口取自 {range}'],
  ['port {port} is inside the excluded range {range}', '端口 {port} 位于排除范围 {range} 内'],
  [
    'port {port} is open to every user (unprivileged ports start at {first})',
    '端口 {port} 对所有用户开放（非特权端口从 {first} 开始）',
  ],
  ['net.ipv4.ip_unprivileged_port_start is {first}', 'net.ipv4.ip_unprivileged_port_start 为 {first}'],
  ['{user} lacks CAP_NET_BIND_SERVICE', '{user} 没有 CAP_NET_BIND_SERVICE'],
  ['{user} is not root', '{user} 不是 root'],
  [
    'macOS asks root for a bind of such a port to one address',
    '在 macOS 上，把这样的端口绑定到单个地址需要 root',
  ],
  ['this machine has {addresses}', '本机的地址有 {addresses}'],
  ['{open} descriptors are open, the limit is {limit}', '已打开 {open} 个描述符，上限为 {limit}'],
  [
    'a port is a whole number of 16 bits, and 0 asks for any free one',
    '端口是 16 位整数，0 表示任意空闲端口',
  ],
  ['port {port} is inside {range} of {command}', '端口 {port} 位于 {command} 所列的 {range} 内'],
  ['port {port} is in no excluded range', '端口 {port} 不在任何排除范围内'],
  ['registered: {url}', '已注册：{url}'],
];

/** What stands inside the messages, and is none by itself. */
export const parts: readonly (readonly [english: string, chinese: string])[] = [
  [
    '{name} (PID {pid} and {count} more, user {user})',
    '{name}（PID {pid} 及另外 {count} 个进程，用户 {user}）',
  ],
  ['{name} (PID {pid}, user {user})', '{name}（PID {pid}，用户 {user}）'],
  ['{name} (PID {pid} and {count} more)', '{name}（PID {pid} 及另外 {count} 个进程）'],
  ['{name} (PID {pid}) and {count} more', '{name}（PID {pid}）等另外 {count} 个进程'],
  ['{name} (PID {pid})', '{name}（PID {pid}）'],
  ['{holders}, with {count} started by it', '{holders}（及其启动的 {count} 个进程）'],
  ['{holders}; {down} does the same', '{holders}；效果等同于 {down}'],
  ['the reeve daemon, {holders}', 'reeve 守护进程 {holders}'],
  ['a process that cannot be shown', '一个无法显示的进程'],
  ['the system itself', '系统自身'],
  ['an unknown number of', '数量未知的'],
  ['no address', '无'],
  ['{count} connection', '{count} 个连接'],
  ['{count} connections', '{count} 个连接'],
  ['{count} closed connection', '{count} 个已关闭的连接'],
  ['{count} closed connections', '{count} 个已关闭的连接'],
  ['{count} listener', '{count} 个监听者'],
  ['{count} listeners', '{count} 个监听者'],
  ['{count} socket', '{count} 个套接字'],
  ['{count} sockets', '{count} 个套接字'],
  ['60 s at the most on Linux', 'Linux 上最多 60 秒'],
  [
    '30 s on macOS, unless net.inet.tcp.msl says otherwise',
    'macOS 上为 30 秒，除非 net.inet.tcp.msl 另有设置',
  ],
  ['up to 4 minutes on Windows, by its TcpTimedWaitDelay', 'Windows 上最多 4 分钟，取决于 TcpTimedWaitDelay'],
  ['up to 4 minutes', '最多 4 分钟'],
];
