// Maintenance of one subject: until when it lasts, and the button that begins or ends it.
import { clock } from '../format.ts';
import { t } from '../i18n/index.ts';
import { maintenanceOf } from '../state/maintenance.ts';
import { Act } from './act.tsx';
import { Badge } from './state.tsx';

interface Props {
  /** `service/user-api/0` */
  subject: string;
  /** What a person calls it. */
  name: string;
}

export function MaintainButton({ subject, name }: Props) {
  const order = maintenanceOf(subject);
  // What its service's order covers ends with that one.
  const about = order && order.subject !== subject ? order.subject.replace(/^[^/]*\//, '') : name;
  return (
    <Act
      path="/api/v1/maintain"
      body={{ name: order?.subject ?? subject, ...(order && { end: true }) }}
      label={t(order ? 'maintain.end.of' : 'maintain.of', { name: about })}
      class="small quiet"
      done={t(order ? 'maintain.ended' : 'maintain.begun', { name: about })}
    >
      {t(order ? 'maintain.end' : 'maintain')}
    </Act>
  );
}

/** Nothing where it is not in maintenance. */
export function MaintainedUntil({ subject }: Pick<Props, 'subject'>) {
  const order = maintenanceOf(subject);
  if (!order) return null;
  return <Badge tone="info">{t('maintain.until', { time: clock(order.until) })}</Badge>;
}
