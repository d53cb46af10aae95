// Simplified Chinese: what the system does not show, what could not be done, and what was written wrong. English is the source.
export const hindrances: readonly (readonly [english: string, chinese: string])[] = [
  // Holders that cannot be shown
  ['{count} process of other users may not be looked into', '无权查看其他用户的 {count} 个进程'],
  ['{count} processes of other users may not be looked into', '无权查看其他用户的 {count} 个进程'],
  [
    '{count} process of other users may not be looked into (the socket belongs to uid {uid})',
    '无权查看其他用户的 {count} 个进程（该套接字属于 uid {uid}）',
  ],
  [
    '{count} processes of other users may not be looked into (the socket belongs to uid {uid})',
    '无权查看其他用户的 {count} 个进程（该套接字属于 uid {uid}）',
  ],
  [
    'no process that can be looked into has it open: it belongs to the kernel, to a process in another PID namespace, or to a protected one',
    '可查看的进程都没有打开它：它属于内核、另一个 PID 命名空间中的进程或受保护的进程',
  ],
  ['in another PID namespace', '位于另一个 PID 命名空间'],
  ['other network namespace', '其他网络命名空间'],
  ['the kernel does not tell who holds a socket', '内核不提供套接字的占用者'],
  [
    'the network namespace of {user} is not known: this needs more privilege',
    '无法得知 {user} 的网络命名空间：需要更高的权限',
  ],
  ['{namespaces} could not be entered or read', '{namespaces}无法进入或读取'],
  [
    '{namespaces} could not be entered (needs CAP_SYS_ADMIN): {names}',
    '{namespaces}无法进入（需要 CAP_SYS_ADMIN）：{names}',
  ],
  ['the system does not tell which process has it (PID 0)', '系统没有提供占用它的进程（PID 0）'],
  ['PID {pid} opened it and has ended; {rest}', 'PID {pid} 打开了它，现已结束；{rest}'],
  [
    'PID {pid} opened it, and is another process by now; {rest}',
    'PID {pid} 打开了它，但该 PID 现在已属于另一个进程；{rest}',
  ],
  ['a program that it started may have it still', '它启动的程序可能仍占用着'],
  // What a table does not show
  ['TCP sockets that are bound but do not listen are not shown', '不显示已绑定而未监听的 TCP 套接字'],
  [
    'TCP sockets that are bound but do not listen are not shown (needs Linux 6.8)',
    '不显示已绑定而未监听的 TCP 套接字（需要 Linux 6.8）',
  ],
  ['TCP sockets that are bound but do not listen may not be shown', '可能不显示已绑定而未监听的 TCP 套接字'],
  [
    'whether an IPv6 socket takes IPv4 connections as well is not known',
    '无法得知 IPv6 套接字是否同时接受 IPv4 连接',
  ],
  [
    'the socket table kept changing while it was read: rows may be missing',
    '读取期间套接字表一直在变化：可能缺少部分行',
  ],
  ['connections that are over (TIME_WAIT) are not shown', '不显示已结束的连接（TIME_WAIT）'],
  [
    'sockets of {processes} of other users are not shown (needs root)',
    '不显示其他用户的 {processes}的套接字（需要 root）',
  ],
  [
    'cannot read the socket table: {command} failed ({reason})',
    '无法读取套接字表：{command} 失败（{reason}）',
  ],
  [
    'cannot read {what} here: this macOS tells them in {some} bytes each, and {others} were expected',
    '此处无法读取 {what}：这个 macOS 每项用 {some} 字节表示，而预期为 {others} 字节',
  ],
  ['cannot list processes: /proc cannot be read', '无法列出进程：不能读取 /proc'],
  ['Mount it: mount -t proc proc /proc', '请挂载：mount -t proc proc /proc'],
  // IPv6
  [
    'the kernel has no IPv6 (no module, or started with ipv6.disable=1)',
    '内核没有 IPv6（没有该模块，或以 ipv6.disable=1 启动）',
  ],
  [
    'disabled by the sysctl net.ipv6.conf.all.disable_ipv6 = 1',
    '已被 sysctl net.ipv6.conf.all.disable_ipv6 = 1 禁用',
  ],
  ['no network interface has an IPv6 address', '没有网络接口具有 IPv6 地址'],
  // Signals, units, services, containers
  ['cannot send {signal} to {holder}: not permitted', '无法向 {holder} 发送 {signal}：没有权限'],
  ['cannot {deed} PID {pid}: access is denied', '无法对 PID {pid} 执行操作（{deed}）：访问被拒绝'],
  ['Run it as that user or as root (sudo)', '请以该用户或 root（sudo）运行'],
  ['Run it as root (sudo)', '请以 root（sudo）运行'],
  [
    'Run it in a terminal opened as administrator, or with reeve --elevate before the command',
    '请在以管理员身份打开的终端中运行，或在命令前加上 reeve --elevate',
  ],
  [
    "'{name}' is not the name of a systemd unit, such as nginx.service",
    '“{name}” 不是 systemd 单元的名称（例如 nginx.service）',
  ],
  [
    "'{name}' is not the name of a Windows service, such as W3SVC",
    '“{name}” 不是 Windows 服务的名称（例如 W3SVC）',
  ],
  ["'{name}' is not the name or the id of a container", '“{name}” 不是容器的名称或 ID'],
  ['cannot stop the unit {unit}: {reason}', '无法停止单元 {unit}：{reason}'],
  [
    'cannot stop the unit {unit} on macOS: launchd has none of that name',
    '无法在 macOS 上停止单元 {unit}：launchd 中没有这个名称',
  ],
  ['Stop a job of launchd with launchctl bootout', '请用 launchctl bootout 停止 launchd 任务'],
  ['cannot stop the container {id}: {reason}', '无法停止容器 {id}：{reason}'],
  ['cannot stop the service {service}: {reason}', '无法停止服务 {service}：{reason}'],
  ['cannot stop the {what}: {program} is not installed here', '无法停止（{what}）：此处没有安装 {program}'],
  ['cannot {deed}: no answer within {seconds} s', '无法完成（{deed}）：{seconds} 秒内没有应答'],
  ['Stop it where it is managed, or install {program}', '请在管理它的地方停止它，或安装 {program}'],
  [
    'cannot {deed} on {platform}: only Linux, macOS and Windows are supported so far',
    '无法在 {platform} 上完成（{deed}）：目前只支持 Linux、macOS 和 Windows',
  ],
  ['Commands that only bind, connect or listen still work here', '只需绑定、连接或监听的命令在此处仍可使用'],
  // What was written wrong
  [
    "'{text}' is not a port: a port is a whole number from {first} to {last}",
    '“{text}” 不是端口：端口是 {first} 到 {last} 之间的整数',
  ],
  ["'{text}' is not a port range: write 3000-3010", '“{text}” 不是端口范围：请写成 3000-3010'],
  ["'{text}' is not a port range: it ends before it starts", '“{text}” 不是端口范围：终点在起点之前'],
  [
    "'{text}' is not an endpoint: only an IPv6 address goes in brackets",
    '“{text}” 不是端点：只有 IPv6 地址写在方括号中',
  ],
  [
    "'{text}' is not an endpoint: an IPv6 address needs brackets and a port",
    '“{text}” 不是端点：IPv6 地址需要方括号和端口',
  ],
  ["'{text}' is not an endpoint: its protocol is tcp or udp", '“{text}” 不是端点：协议只能是 tcp 或 udp'],
  [
    "'{text}' names no process: write its number, such as pid:123",
    '“{text}” 没有指明进程：请写其编号，例如 pid:123',
  ],
  [
    "'{text}' names no process: write a name, such as name:node",
    '“{text}” 没有指明进程：请写名称，例如 name:node',
  ],
  ["'{text}' is no port: only who takes processes", '“{text}” 不是端口：只有 who 接受进程'],
  ['See its ports: reeve who {text}', '查看其端口：reeve who {text}'],
  ["'{text}' is not a port or endpoint", '“{text}” 不是端口或端点'],
  ["'{text}' is not a host name or an address", '“{text}” 不是主机名或地址'],
  [
    "'{text}' names no {missing}: write host:port, such as 127.0.0.1:8080",
    '“{text}” 缺少 {missing}：请写成 host:port，例如 127.0.0.1:8080',
  ],
  [
    "cannot bind '{address}': an IPv4 or IPv6 address is needed, without a port",
    '无法绑定“{address}”：需要不带端口的 IPv4 或 IPv6 地址',
  ],
  ['{folder}: is not a directory', '{folder}：不是目录'],
  ['Write {text}', '请写 {text}'],
  ['Accepted: {forms}, pid:123, name:node', '可接受：{forms}、pid:123、name:node'],
  ['Accepted: {forms}', '可接受：{forms}'],
  [
    '{range} has {count} ports: free takes at most {most} at once',
    '{range} 包含 {count} 个端口：free 一次最多处理 {most} 个',
  ],
  [
    'free does not stop anything unasked, and there is no terminal to ask on',
    'free 不会未经询问就停止任何程序，而此处没有可以询问的终端',
  ],
  ['Add --yes to go ahead, or --dry-run to see the plan', '加上 --yes 直接执行，或加上 --dry-run 查看计划'],
  ['nothing was touched', '没有做任何改动'],
  ['freeing {endpoint}', '正在释放 {endpoint}'],
];

/** What stands inside these, and is none by itself. */
export const hindranceParts: readonly (readonly [english: string, chinese: string])[] = [
  ['is not a directory', '不是目录'],
  ['{count} process', '{count} 个进程'],
  ['{count} processes', '{count} 个进程'],
  ['{count} other network namespace', '{count} 个其他网络命名空间'],
  ['{count} other network namespaces', '{count} 个其他网络命名空间'],
  ['{name} (PID {pid}) of user {user}', '{name}（PID {pid}，用户 {user}）'],
  ['{url} (reserved)', '{url}（已保留）'],
  ['unit {unit}', '单元 {unit}'],
  ['container {id}', '容器 {id}'],
  ['stop the unit {unit}', '停止单元 {unit}'],
  ['stop the container {id}', '停止容器 {id}'],
  ['it is still stopping after {seconds} s', '{seconds} 秒后仍在停止'],
  ['access is denied', '访问被拒绝'],
  ['there is no such service', '没有这个服务'],
  [
    'others depend on it; stop them first (sc enumdepend "{service}")',
    '有其他服务依赖它，请先停止它们（sc enumdepend "{service}"）',
  ],
  ['send {signal} to', '发送 {signal}'],
  ['read the socket table', '读取套接字表'],
  ['find the processes that hold a socket', '查找占用套接字的进程'],
  ['look at a process', '查看进程'],
  ['list processes', '列出进程'],
  ['identify a process', '识别进程'],
  ['signal a process safely', '安全地向进程发送信号'],
  ['watch a process', '监视进程'],
  ['find processes by their environment', '通过环境变量查找进程'],
  ['stop a service', '停止服务'],
  ['stop a container', '停止容器'],
];
